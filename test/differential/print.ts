/** Steps and differences as blocks that look like those of the transcripts. */
import type { Difference } from './pair.ts'
import { CONNECTIONS, commandText } from './steps.ts'
import type { Step } from './steps.ts'

const LONG_RUN = 40
const VALUE_CHARACTERS_MAX = 400
/** Where it could not be made short, the end has to do. */
const STEPS_MAX = 12

export function printDifference(steps: readonly Step[], difference: Difference): string {
  const { what, burst, theirs, ours } = difference
  const protocol = CONNECTIONS[burst.connection] ?? 'text'
  const show = (text: string): string => (protocol === 'text' ? escaped(text) : hex(text))
  return [
    what,
    ...(steps.length > STEPS_MAX ? [`(after ${steps.length - STEPS_MAX} steps more)`] : []),
    ...steps.slice(-STEPS_MAX).map(printStep),
    `the answer to ${CONNECTIONS[burst.connection]} ${burst.connection}, as it was sent here:`,
    block('send', show(difference.sent)),
    block(`recv ours${ours.closed ? ' closed' : ''}`, show(ours.bytes.toString('latin1'))),
    block(`recv memcached${theirs.closed ? ' closed' : ''}`, show(theirs.bytes.toString('latin1'))),
  ].join('\n')
}

function printStep({ bursts, pauseMs }: Step): string {
  const blocks = bursts.map(({ connection, commands, cuts }) => {
    const isText = CONNECTIONS[connection] === 'text'
    const texts = commands.map((one) => commandText(one, () => undefined))
    const cutAt = cuts.length > 0 ? `, cut at ${cuts.map((cut) => cut.toFixed(3)).join(' ')}` : ''
    const head = `connection ${connection}${cutAt}`
    return `${head}\n${block('send', isText ? escaped(texts.join('')) : texts.map(hex).join(''))}`
  })
  return [...blocks, ...(pauseMs > 0 ? [block('wait', `${pauseMs / 1000}\n`)] : [])].join('\n')
}

function block(info: string, body: string): string {
  return `\`\`\`${info}\n${body}\`\`\``
}

function escaped(text: string): string {
  const lines = text
    .replaceAll('\\', '\\\\')
    .replaceAll(/[^\x20-\x7e\r\n]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll(/\r(?!\n)/g, '\\r')
    .replaceAll(/(?<!\r)\n/g, '\\n')
    .replaceAll('\r\n', '\n')
    .replaceAll(/(.)\1+/g, (run, c: string) =>
      run.length >= LONG_RUN ? `\\{${c}*${run.length}}` : run,
    )
    .replaceAll(/(?:^MN\n){9,}/gm, (run) => `\\{MN*${run.length / 3}}\n`)
    .split('\n')
    .map((line) => (line.length > VALUE_CHARACTERS_MAX ? shortened(line) : line))
    .join('\n')
  return lines === '' || lines.endsWith('\n') ? lines : `${lines}\\\n`
}

function hex(text: string): string {
  const bytes = Buffer.from(text, 'latin1').toString('hex')
  const spaced = bytes.replaceAll(/..(?=.)/g, '$& ')
  return `hex ${spaced.length > VALUE_CHARACTERS_MAX ? shortened(spaced) : spaced}\n`
}

function shortened(text: string): string {
  const kept = text.slice(0, VALUE_CHARACTERS_MAX)
  return `${kept} (and ${text.length - VALUE_CHARACTERS_MAX} characters more)`
}
