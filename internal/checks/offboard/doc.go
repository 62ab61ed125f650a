// Package offboard holds the checks of the stage offboard: when a partner goes, all that it ever held dies. Start with
// [TokenOutlivesClient] and [NothingOfAWholeLifeSurvives].
package offboard
