/** Options that change while those who use them hold on to them: the record stays, its values change. */

type Options = Readonly<Record<string, unknown>>

/**
 * Gives `options` the values of `next` that are not those of `before`, in records within it as well. The
 * three have the same shape; who uses `options` must not have copied what may change.
 */
export function takeChanges<Shape extends object>(
  options: Shape,
  before: Shape,
  next: Shape,
): void {
  take(asOptions(options), asOptions(before), asOptions(next))
}

function take(options: Options, before: Options, next: Options): void {
  for (const [name, value] of Object.entries(next)) {
    if (isRecord(value)) take(asOptions(options[name]), asOptions(before[name]), value)
    else if (value !== before[name]) Object.assign(options, { [name]: value })
  }
}

function asOptions(value: unknown): Options {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Options {
  return typeof value === 'object' && value !== null
}
