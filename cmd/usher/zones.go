package main

// The time zones of organizations are in the program itself: machines and bare
// images may have none, and a day of billing must be the same on every node.
import _ "time/tzdata"
