/** The part of JSON Schema that our schema uses, with our own annotations, as the checker reads it. */
export interface Shape {
  readonly type?: string;
  readonly title?: string;
  readonly anyOf?: readonly Shape[];
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Shape;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly propertyNames?: { readonly format?: string };
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** Bounds of a duration and of a size. */
  readonly minMs?: number;
  readonly maxMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  /** Never shown in a message. */
  readonly secret?: boolean;
  /** `token: ${TOKEN:-}`: an empty variable is as good as no key at all. */
  readonly emptyIsAbsent?: boolean;
  /** Keys of a later version, so that nobody hunts for a typing error. */
  readonly later?: readonly string[];
}
