package docs

// reasons says why a row has no check. "waits for ..." is what will come; the others are what a ride from outside cannot
// decide.
var reasons = map[string]string{
	"L-CA-60": "what a proxy writes into the header is seen only behind it; that a header from outside opens nothing is tested (L-CA-59)",
	"L-CL-01": "no check but the ride itself: it tries at its end all that it created, and the report lists it",
	"L-EV-03": "no check but `checkride compare`: it holds the logbooks of two rides against each other, and tells which decisions, limits and metadata differ",
	"L-GW-11": "waits for raw requests",
	"L-OF-08": "no protocol tells from outside when a client was last used",
	"L-OH-01": "no check but the report: where people make the clients, it tells how long that took and in how many steps",
	"L-SC-05": "a ride has one address, and whether a copied key is noticed elsewhere is not seen from outside",
}

// partly says of a row that checks play what of it they leave out, or only remark.
var partly = map[string]string{
	"L-AU-01": "what a record says beside the decision is counted and not judged",
	"L-AU-02": "whether the record tells the reason is not judged",
	"L-AU-06": "the logs that cover the points; that of the server is not compared",
	"L-AU-07": "a User-Agent is not played",
	"L-CA-01": "every character is escaped, of ids and secrets that the server chose itself",
	"L-CA-11": "it is remarked; times are not compared",
	"L-CA-33": "each try has a connection of its own; at which replica it ends is not known",
	"L-CA-55": "by the hook withdraw_certificate; the ride's CA publishes neither a CRL nor OCSP of its own",
	"L-AT-01": "that a kid is there is remarked; that the key set has it is seen where tokens are forged",
	"L-CA-61": "with client_id at revocation; at introspection without it, so as not to lock the resource server out",
	"L-DP-10": "a nonce that was never given stands for a stale one",
	"L-ER-01": "some errors of each endpoint, not every one that was met",
	"L-EV-01": "the reverse is for a ride of the other environment",
	"L-GW-06": "no ID token, since client credentials bring none, and no software statement",
	"L-GW-08": "a token in header and query is remarked, and none in a body is played",
	"L-GW-13": "odd requests are compared; what must be refused anyhow is judged point by point, and how it is refused is remarked",
	"L-JI-01": "by a token request, since nobody has a token yet",
	"L-JW-01": "kid and use are remarked",
	"L-JW-03": "that the old one is kept is seen at one moment",
	"L-JW-06": "how often a point fetches is not seen from outside",
	"L-JW-10": "secrets that were given, and registration tokens, do not tell their end",
	"L-MD-07": "that the list is there is asked of the token endpoint alone",
	"L-MD-12": "grants that need a person are not tried",
	"L-MD-16": "suites that should not be taken are remarked",
	"L-OF-04": "in one way: the hook suspend",
	"L-OF-05": "a certificate, not its CA",
	"L-OF-06": "API keys",
	"L-RG-01": "the status is not told apart from 200, and whether the answer may be stored is not looked at",
	"L-RG-20": "names alone; how they are shown to people is not seen",
	"L-RM-05": "client_uri and jwks are updated, and a login shows the new key",
	"L-RV-14": "no connection that is open already",
	"L-SC-08": "for certificates the points are asked instead (L-SC-07)",
	"L-SS-09": "by the subject; the issuer is not compared",
	"L-TK-03": "it is remarked",
	"L-TK-07": "no scope is named twice",
}
