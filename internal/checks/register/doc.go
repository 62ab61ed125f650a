// Package register holds the checks of the stage register: who may become a client and with which rights, and who may
// read or end its registration. Start with [WithoutAccessToken] and [NeighboursRegistrationToken].
package register
