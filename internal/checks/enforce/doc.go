// Package enforce holds the checks of the stage enforce: what a point must let in and what it must refuse, whoever asks.
// Start with [WithoutToken] and [PointsAgree].
package enforce
