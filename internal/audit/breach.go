package audit

import "github.com/checkride/checkride/internal/logbook"

// What else can be wrong with the records of a step than that there is none.
var (
	Repeated = &logbook.Breach{
		Broken:   "a step leaves more than one record",
		Why:      "one call looks like two: counts, bills and alarms are wrong; that there is one record is our demand",
		Fix:      "write one record for each step, at one place, or give the records of one step kinds that tell them apart",
		Severity: logbook.Medium,
	}
	Misrecorded = &logbook.Breach{
		Broken:   "a record says the contrary of what was decided",
		Why:      "who reads the log after an incident believes that somebody got in who did not, or the other way round",
		Fix:      "write the record when the answer is known, with what was answered",
		Severity: logbook.High,
	}
)
