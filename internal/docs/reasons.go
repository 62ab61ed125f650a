package docs

// reasons says why a row has no check; what stands here for a row that has one is not shown. "waits for ..." is what will come; the others are what a ride
// from outside cannot decide.
var reasons = map[string]string{
	"L-CA-55": "waits for certificate status: the ride's CA publishes neither a CRL nor OCSP",
	"L-CA-60": "what a proxy writes into the header is seen only behind it; that a header from outside opens nothing is tested (L-CA-59)",
	"L-CL-01": "no check but the ride itself: it tries at its end all that it created, and the report lists it",
	"L-EV-03": "no check but `checkride compare`: it holds the logbooks of two rides against each other, and tells which decisions, limits and metadata differ",
	"L-GW-11": "waits for raw requests",
	"L-OF-08": "no protocol tells from outside when a client was last used",
	"L-OH-01": "no check but the report: where people make the clients, it tells how long that took and in how many steps",
	"L-RV-14": "waits for connections that stay open; how long a revoked token opens new requests is measured (L-RV-09)",
	"L-SC-05": "a ride has one address, and whether a copied key is noticed elsewhere is not seen from outside",
	"L-SS-10": "waits for registrations that are signed as a whole (application/jose); RFC 7591 registers by JSON",
}
