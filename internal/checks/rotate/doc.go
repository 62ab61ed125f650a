// Package rotate holds the checks of the stage rotate: a new credential works, and the old one ends in time. Start
// with [OldSecret] and [RemovedKey].
package rotate
