package frameworks

// How the NIST tables were verified, and on which text:
//
//	CSF 2.0              every id by program against a whole list of the 106 subcategories in public code
//	                     (intuitem/ciso-assistant-community, nist-csf-2.0), which has their texts; the form of ids in NIST's
//	                     own OSCAL catalogue, release 1.2.0 (2026-05-13)
//	SP 800-207           the full text (August 2020): §2.1, and the table of contents for §3 to §5
//	SP 800-53 Rev. 5     every id and title by program against a whole list in public code (the same, nist-sp-800-53-rev5,
//	                     1,189 controls), and against NIST's OSCAL baselines, release 5.1.1, for what is in one. IA-13 with
//	                     (1) to (3) came with release 5.1.1, so the list lacks them: id with title in three independent
//	                     texts. Release 5.2.0 (2025-08-27) adds SA-15(13), SA-24 and SI-2(7) and changes SI-7(12): none of
//	                     those here.

const zeroTrustURL = "https://csrc.nist.gov/pubs/sp/800/207/final"

// csf holds subcategories of CSF 2.0. The numbers have gaps (there is no DE.CM-04): never make ids by counting.
var csf = []entry{
	{"GV.SC-02", "roles and responsibilities for suppliers, customers, and partners are established, communicated, and coordinated"},
	{"GV.SC-05", "requirements to address cybersecurity risks in supply chains are integrated into contracts and other agreements"},
	{"GV.SC-06", "planning and due diligence are performed before entering into formal supplier or other third-party relationships"},
	{"GV.SC-07", "risks posed by a supplier and other third parties are understood, recorded, assessed, responded to, and monitored over the course of the relationship"},
	{"GV.SC-08", "relevant suppliers and other third parties are included in incident planning, response, and recovery activities"},
	{"GV.SC-10", "plans include provisions for activities that occur after the conclusion of a partnership or service agreement"},
	{"ID.AM-03", "representations of authorized network communication and data flows are maintained"},
	{"ID.AM-08", "systems, hardware, software, services, and data are managed throughout their life cycles"},
	{"ID.IM-02", "improvements are identified from security tests and exercises, including those done in coordination with suppliers and relevant third parties"},
	{"ID.IM-03", "improvements are identified from execution of operational processes, procedures, and activities"},
	{"PR.AA-01", "identities and credentials for authorized users, services, and hardware are managed"},
	{"PR.AA-02", "identities are proofed and bound to credentials based on the context of interactions"},
	{"PR.AA-03", "users, services, and hardware are authenticated"},
	{"PR.AA-04", "identity assertions are protected, conveyed, and verified"},
	{"PR.AA-05", "access permissions, entitlements, and authorizations are defined in a policy, managed, enforced, and reviewed, with least privilege and separation of duties"},
	{"PR.DS-02", "the confidentiality, integrity, and availability of data-in-transit are protected"},
	{"PR.PS-01", "configuration management practices are established and applied"},
	{"PR.PS-04", "log records are generated and made available for continuous monitoring"},
	{"PR.IR-01", "networks and environments are protected from unauthorized logical access and usage"},
	{"PR.IR-03", "mechanisms are implemented to achieve resilience requirements in normal and adverse situations"},
	{"DE.CM-01", "networks and network services are monitored to find potentially adverse events"},
	{"DE.CM-06", "external service provider activities and services are monitored to find potentially adverse events"},
	{"DE.CM-09", "computing hardware and software, runtime environments, and their data are monitored to find potentially adverse events"},
	{"DE.AE-02", "potentially adverse events are analyzed to better understand associated activities"},
	{"DE.AE-03", "information is correlated from multiple sources"},
	{"DE.AE-06", "information on adverse events is provided to authorized staff and tools"},
	{"RS.MI-01", "incidents are contained"},
	{"RS.MI-02", "incidents are eradicated"},
	{"RS.AN-03", "analysis is performed to establish what has taken place during an incident and its root cause"},
	{"RS.AN-07", "incident data and metadata are collected, and their integrity and provenance are preserved"},
	{"RC.RP-05", "the integrity of restored assets is verified, systems and services are restored, and normal operating status is confirmed"},
}

// tenets holds the openings of the seven tenets of SP 800-207 §2.1, which "apply to work done within an organization or
// in collaboration with one or more partner organizations".
var tenets = []string{
	"all data sources and computing services are considered resources",
	"all communication is secured regardless of network location",
	"access to individual enterprise resources is granted on a per-session basis",
	"access to resources is determined by dynamic policy, including the observable state of client identity",
	"the enterprise monitors and measures the integrity and security posture of all owned and associated assets",
	"all resource authentication and authorization are dynamic and strictly enforced before access is allowed",
	"the enterprise collects as much information as possible and uses it to improve its security posture",
}

var zeroTrust = []entry{
	{"2.1", "Tenets of Zero Trust"},
	{"3", "Logical Components of Zero Trust Architecture"},
	{"4.2", "Multi-cloud/Cloud-to-Cloud Enterprise"},
	{"4.3", "Enterprise with Contracted Services and/or Nonemployee Access"},
	{"4.4", "Collaboration Across Enterprise Boundaries"},
	{"5.3", "Stolen Credentials/Insider Threat"},
}

// controls holds controls of SP 800-53 Rev. 5, as people write them; OSCAL writes AC-3(8) as ac-3.8.
var controls = []entry{
	{"AC-2", "Account Management"},
	{"AC-2(1)", "Account Management | Automated System Account Management"},
	{"AC-2(3)", "Account Management | Disable Accounts"},
	{"AC-2(4)", "Account Management | Automated Audit Actions"},
	{"AC-2(13)", "Account Management | Disable Accounts for High-risk Individuals"},
	{"AC-3", "Access Enforcement"},
	{"AC-3(8)", "Access Enforcement | Revocation of Access Authorizations"},
	{"AC-4", "Information Flow Enforcement"},
	{"AC-5", "Separation of Duties"},
	{"AC-6", "Least Privilege"},
	{"AC-6(9)", "Least Privilege | Log Use of Privileged Functions"},
	{"AC-7", "Unsuccessful Logon Attempts"},
	{"AC-14", "Permitted Actions Without Identification or Authentication"},
	{"AC-16", "Security and Privacy Attributes"},
	{"AC-17", "Remote Access"},
	{"AC-24", "Access Control Decisions"},
	{"AU-2", "Event Logging"},
	{"AU-3", "Content of Audit Records"},
	{"AU-3(1)", "Content of Audit Records | Additional Audit Information"},
	{"AU-6", "Audit Record Review, Analysis, and Reporting"},
	{"AU-6(3)", "Audit Record Review, Analysis, and Reporting | Correlate Audit Record Repositories"},
	{"AU-8", "Time Stamps"},
	{"AU-9", "Protection of Audit Information"},
	{"AU-10", "Non-repudiation"},
	{"AU-11", "Audit Record Retention"},
	{"AU-12", "Audit Record Generation"},
	{"AU-12(1)", "Audit Record Generation | System-wide and Time-correlated Audit Trail"},
	{"AU-16", "Cross-organizational Audit Logging"},
	{"AU-16(1)", "Cross-organizational Audit Logging | Identity Preservation"},
	{"CA-2", "Control Assessments"},
	{"CA-3", "Information Exchange"},
	{"CA-7", "Continuous Monitoring"},
	{"CA-7(3)", "Continuous Monitoring | Trend Analyses"},
	{"CA-8", "Penetration Testing"},
	{"CA-8(2)", "Penetration Testing | Red Team Exercises"},
	{"CM-7", "Least Functionality"},
	{"IA-2", "Identification and Authentication (Organizational Users)"},
	{"IA-3", "Device Identification and Authentication"},
	{"IA-3(1)", "Device Identification and Authentication | Cryptographic Bidirectional Authentication"},
	{"IA-4", "Identifier Management"},
	{"IA-5", "Authenticator Management"},
	{"IA-5(1)", "Authenticator Management | Password-based Authentication"},
	{"IA-5(2)", "Authenticator Management | Public Key-based Authentication"},
	{"IA-5(6)", "Authenticator Management | Protection of Authenticators"},
	{"IA-5(7)", "Authenticator Management | No Embedded Unencrypted Static Authenticators"},
	{"IA-5(8)", "Authenticator Management | Multiple System Accounts"},
	{"IA-5(13)", "Authenticator Management | Expiration of Cached Authenticators"},
	{"IA-5(14)", "Authenticator Management | Managing Content of PKI Trust Stores"},
	{"IA-6", "Authentication Feedback"},
	{"IA-8", "Identification and Authentication (Non-organizational Users)"},
	{"IA-9", "Service Identification and Authentication"},
	{"IA-12", "Identity Proofing"},
	{"IA-13", "Identity Providers and Authorization Servers"},
	{"IA-13(1)", "Identity Providers and Authorization Servers | Protection of Cryptographic Keys"},
	{"IA-13(2)", "Identity Providers and Authorization Servers | Verification of Identity Assertions and Access Tokens"},
	{"IA-13(3)", "Identity Providers and Authorization Servers | Token Management"},
	{"IR-3", "Incident Response Testing"},
	{"IR-4", "Incident Handling"},
	{"PS-4", "Personnel Termination"},
	{"PS-7", "External Personnel Security"},
	{"SA-9", "External System Services"},
	{"SC-4", "Information in Shared System Resources"},
	{"SC-5", "Denial-of-service Protection"},
	{"SC-7", "Boundary Protection"},
	{"SC-8", "Transmission Confidentiality and Integrity"},
	{"SC-8(1)", "Transmission Confidentiality and Integrity | Cryptographic Protection"},
	{"SC-12", "Cryptographic Key Establishment and Management"},
	{"SC-13", "Cryptographic Protection"},
	{"SC-17", "Public Key Infrastructure Certificates"},
	{"SC-23", "Session Authenticity"},
	{"SC-23(1)", "Session Authenticity | Invalidate Session Identifiers at Logout"},
	{"SC-23(5)", "Session Authenticity | Allowed Certificate Authorities"},
	{"SI-4", "System Monitoring"},
	{"SI-4(5)", "System Monitoring | System-generated Alerts"},
	{"SI-10", "Information Input Validation"},
	{"SI-11", "Error Handling"},
	{"SR-6", "Supplier Assessments and Reviews"},
}
