package wire

import "testing"

func TestMembersJoinAJSONBody(t *testing.T) {
	one := []part{{"software_statement", `a"b`, "[statement 1]"}}
	for body, want := range map[string][2]string{
		`{}`:          {`{"software_statement":"a\"b"}`, `{"software_statement":"[statement 1]"}`},
		`{"a": [1] }`: {`{"a": [1] ,"software_statement":"a\"b"}`, `{"a": [1] ,"software_statement":"[statement 1]"}`},
	} {
		sent, shown, err := joined([]byte(body), one)
		if err != nil || string(sent) != want[0] || string(shown) != want[1] {
			t.Errorf("%s: %s, %s, %v", body, sent, shown, err)
		}
	}
	for _, body := range []string{"", "[]", `{"a":1`, "1", `{} {}`} {
		_, _, err := joined([]byte(body), one)
		if err == nil {
			t.Errorf("%q takes a member", body)
		}
	}
}
