package scenarios

import _ "embed"

//go:embed scenario.schema.json
var schemaFile []byte

// Schema returns the scenario format as a JSON Schema (draft 2020-12) for editors.
// cmd/internal/schemas generates the file from the rules and comments of the fields. Only Read
// checks limits of quantities with units, and conditions between fields.
func Schema() []byte { return schemaFile }
