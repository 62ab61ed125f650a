// Package compromise holds the checks of the stage compromise: a thief has copies, the alarm is raised, and service comes
// back without what was stolen. Start with [ThiefIsLockedOut] and [Recovery].
package compromise
