package scim

import "slices"

// order finds the order in which operations are handled: that of the request,
// except that what an operation refers to comes before it. Operations that
// refer to each other in a circle stand together (Tarjan's algorithm; edges go
// to what is needed, so that circles come out after all they need).
func (b *bulk) order() [][]*operation {
	t := tarjan{ops: b.ops, index: make([]int, len(b.ops)), low: make([]int, len(b.ops)), open: make([]bool, len(b.ops))}
	for i := range b.ops {
		if t.index[i] == 0 {
			t.visit(i)
		}
	}
	return t.found
}

type tarjan struct {
	ops        []operation
	next       int
	index, low []int // by operation; 0: not visited
	open       []bool
	stack      []int
	found      [][]*operation
}

func (t *tarjan) visit(i int) {
	t.next++
	t.index[i], t.low[i] = t.next, t.next
	t.stack, t.open[i] = append(t.stack, i), true
	for _, need := range t.ops[i].needs {
		if t.index[need] == 0 {
			t.visit(need)
			t.low[i] = min(t.low[i], t.low[need])
		} else if t.open[need] {
			t.low[i] = min(t.low[i], t.index[need])
		}
	}
	if t.low[i] == t.index[i] {
		t.close(i)
	}
}

// close takes the circle that begins with i off the stack, in the order of the
// request.
func (t *tarjan) close(i int) {
	at := len(t.stack) - 1
	for t.stack[at] != i {
		at--
	}
	members := t.stack[at:]
	for _, m := range members {
		t.open[m] = false
	}
	slices.Sort(members)
	circle := make([]*operation, len(members))
	for k, m := range members {
		circle[k] = &t.ops[m]
	}
	t.stack = t.stack[:at]
	t.found = append(t.found, circle)
}
