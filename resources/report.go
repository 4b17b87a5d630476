package resources

// reportYears is how far back billing reports go (BR-178).
const reportYears = 5
