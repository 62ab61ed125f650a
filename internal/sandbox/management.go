package sandbox

import (
	"encoding/json"
	"net/http"

	"github.com/checkride/checkride/internal/sandbox/auditlog"
)

// longestRequest bounds a certificate request, in bytes.
const longestRequest = 16 << 10

// startManagement serves what an operator has: the authorization server's own management, and the API keys of legacy.
func (s *Sandbox) startManagement() error {
	main := s.main.Management()
	mux := http.NewServeMux()
	mux.Handle("/", main)
	mux.Handle("/directory/", http.StripPrefix("/directory", s.trust.Handler()))
	mux.HandleFunc("POST /clients/{id}/api-key", s.provision)
	mux.HandleFunc("DELETE /clients/{id}/api-key", s.deprovision)
	mux.HandleFunc("POST /certificates", s.issueCertificate)
	mux.HandleFunc("POST /certificates/{thumbprint}/withdraw", s.withdrawCertificate)
	mux.HandleFunc("POST /clients/{id}/suspend", s.tellLegacy(main, true))
	mux.HandleFunc("POST /clients/{id}/resume", s.tellLegacy(main, false))
	mux.HandleFunc("DELETE /clients/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.legacy.Deprovision(r.PathValue("id"))
		main.ServeHTTP(w, r)
	})
	mux.HandleFunc("PUT /published-keys/{name}", s.publishKeys)
	s.plain(management, mux)
	return s.serve(partnerKeys, http.HandlerFunc(s.published.serve), nil)
}

func (s *Sandbox) provision(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	key := s.legacy.Provision(id)
	s.logKey("api_key.provision", id, r, http.StatusCreated)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"client_id": id, "api_key": key})
}

func (s *Sandbox) deprovision(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.legacy.Deprovision(id)
	s.logKey("api_key.deprovision", id, r, http.StatusNoContent)
	w.WriteHeader(http.StatusNoContent)
}

// issueCertificate is the partners' CA at work: it answers {"csr": PEM} with {"certificate": PEM}.
func (s *Sandbox) issueCertificate(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Request string `json:"csr"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, longestRequest)).Decode(&asked)
	if err != nil {
		http.Error(w, `the request is not {"csr": PEM}`, http.StatusBadRequest)
		return
	}
	issued, err := s.partners.Issue([]byte(asked.Request))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	record := auditlog.Of("certificate.issue", r)
	record.Decision, record.Status = auditlog.Allow, http.StatusCreated
	s.logs[mainAS].Write(record)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"certificate": string(issued)})
}

func (s *Sandbox) withdrawCertificate(w http.ResponseWriter, r *http.Request) {
	thumbprint := r.PathValue("thumbprint")
	s.partners.Withdraw(thumbprint)
	record := auditlog.Of("certificate.withdraw", r)
	record.Decision, record.CertSHA256, record.Status = auditlog.Allow, thumbprint, http.StatusNoContent
	s.logs[mainAS].Write(record)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sandbox) logKey(action, id string, r *http.Request, status int) {
	record := auditlog.Of(action, r)
	record.Decision, record.ClientID, record.Status = auditlog.Allow, id, status
	s.logs[legacyOne].Write(record)
}

// tellLegacy lets legacy's API keys follow the state of their client.
func (s *Sandbox) tellLegacy(main http.Handler, suspended bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.legacy.Suspend(r.PathValue("id"), suspended)
		main.ServeHTTP(w, r)
	}
}
