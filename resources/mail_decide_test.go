package resources

import "time"

func (w *askings) Due(string, time.Time) {}
