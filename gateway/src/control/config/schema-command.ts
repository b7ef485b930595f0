import { configJsonSchema } from './json-schema.ts';

/** `portway schema`: prints the JSON Schema of the config. Returns the exit code. */
export function schemaCommand(options: { readonly write: (text: string) => void }): 0 {
  options.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return 0;
}
