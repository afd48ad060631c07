package scenarios

import _ "embed"

//go:embed scenario.schema.json
var schemaFile []byte

//go:embed target.schema.json
var targetSchemaFile []byte

// TargetSchema returns the format of a target file as a JSON Schema: see Schema.
func TargetSchema() []byte { return targetSchemaFile }

// Schema returns the scenario format as a JSON Schema (draft 2020-12) for editors.
// cmd/internal/schemas generates the file from the rules and comments of the fields. Only Read
// checks limits of quantities with units, and conditions between fields.
func Schema() []byte { return schemaFile }
