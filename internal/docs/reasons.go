package docs

// reasons says why a row has no check, or only in part. "waits for ..." is what will come; the others are what a ride
// from outside cannot decide.
var reasons = map[string]string{
	"L-CA-55": "waits for certificate status: the ride's CA publishes neither a CRL nor OCSP",
	"L-CA-60": "what a proxy writes into the header is seen only behind it; that a header from outside opens nothing is tested (L-CA-59)",
	"L-CL-01": "no check but the ride itself: it tries at its end all that it created, and the report lists it",
	"L-GW-11": "waits for raw requests",
}
