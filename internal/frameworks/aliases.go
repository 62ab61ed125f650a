package frameworks

// aliases answer for ids that readers meet elsewhere and that are not, or not any more, what they are taken for. The
// CSF crosswalk follows NIST's mapping from 1.1 to 2.0; each pair intersects, none is equal.
var aliases = []alias{
	{[]string{"nhi-03", "nhi-3", "nhi03"}, "there is no NHI-03: the list has one edition (2025), and its third entry is NHI3:2025 Vulnerable Third-Party NHI; " +
		"rotation and short-lived credentials are NHI7:2025 Long-Lived Secrets, offboarding is NHI1:2025, leakage NHI2:2025"},
	{[]string{"800-207#4.2", "800-207-4.2", "800-2074.2", "sp800-207#4.2", "sp800-207-4.2", "sp800-2074.2"}, "SP 800-207 §4.2 is a deployment scenario, Multi-cloud/Cloud-to-Cloud Enterprise; " +
		"continuous verification is SP 800-207 §2.1 tenet 6, partners are §4.3 and §4.4, stolen credentials §5.3"},
	{[]string{"pr.ac", "csf1.1pr.ac"}, "that is CSF 1.1; in 2.0 the category is PR.AA"},
	{[]string{"pr.ac-1", "pr.ac-01"}, "that is CSF 1.1; in 2.0: PR.AA-01 and PR.AA-05"},
	{[]string{"pr.ac-3", "pr.ac-03"}, "that is CSF 1.1; in 2.0: PR.AA-03, PR.AA-05 and PR.IR-01"},
	{[]string{"pr.ac-4", "pr.ac-04"}, "that is CSF 1.1; in 2.0: PR.AA-05"},
	{[]string{"pr.ac-6", "pr.ac-06"}, "that is CSF 1.1; in 2.0: PR.AA-02"},
	{[]string{"pr.ac-7", "pr.ac-07"}, "that is CSF 1.1; in 2.0: PR.AA-03"},
	{[]string{"pr.pt-1", "pr.pt-01"}, "that is CSF 1.1; in 2.0: PR.PS-04"},
	{[]string{"api10:2019"}, "that is the edition of 2019 (Insufficient Logging & Monitoring); the edition of 2023 has no entry on logging: see ASVS 5.0 V16.2.1 and V16.3.2, CSF PR.PS-04, AU-2, AU-3 and AU-12"},
	{[]string{"api3:2019"}, "that is the edition of 2019 (Excessive Data Exposure); in 2023: API3:2023 Broken Object Property Level Authorization"},
	{[]string{"api4:2019"}, "that is the edition of 2019 (Lack of Resources & Rate Limiting); in 2023: API4:2023 Unrestricted Resource Consumption"},
	{[]string{"api6:2019"}, "that is the edition of 2019 (Mass Assignment); in 2023: API3:2023 Broken Object Property Level Authorization"},
	{[]string{"asvs10.4.9", "v10.4.9", "asvs5.0v10.4.9"}, "ASVS 5.0 V10.4.9 is revocation by a user in the authorization server's interface; for revocation by machines see RFC 7009 §2.1 and ASVS 5.0 V8.3.2"},
	{[]string{"rfc7525"}, "RFC 7525 is obsolete; today: RFC 9325"},
	{[]string{"rfc8740"}, "RFC 8740 is obsolete; today: RFC 9113 §9.2.3"},
	{[]string{"rfc7230", "rfc7231", "rfc7235"}, "that HTTP/1.1 text is obsolete; today: RFC 9110"},
	{[]string{"rfc7540"}, "RFC 7540 is obsolete; today: RFC 9113"},
	{[]string{"ietf-oauth-security-topics", "draft-ietf-oauth-security-topics"}, "that draft became RFC 9700"},
}
