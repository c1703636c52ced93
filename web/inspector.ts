/** Looks one key up and shows what there is to know of its item. It changes nothing. */
import type {
  ItemDocument,
  KeyDocument,
  KeyName,
  ValueDocument,
} from '../src/http/stats-document.ts'
import { byId, fillFacts, setText } from './dom.ts'
import { NOTHING, ageS, bytes, visible, wholeCount } from './format.ts'
import { keyPath, shownKey, typedKey } from './key-name.ts'
import { ask } from './source.ts'

const TIERS = { memory: 'in memory', disk: 'on disk', both: 'in memory and on disk' } as const

export class Inspector {
  readonly #input: HTMLInputElement = byId('key', HTMLInputElement)
  readonly #form: HTMLSelectElement = byId('key-form-is', HTMLSelectElement)
  readonly #note: HTMLElement = byId('key-note', HTMLElement)
  readonly #facts: HTMLDListElement = byId('key-facts', HTMLDListElement)
  readonly #value: HTMLPreElement = byId('key-value', HTMLPreElement)
  /** Answers to older questions than this are not shown. */
  #round = 0

  constructor() {
    byId('key-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      const name = typedKey(this.#input.value, this.#form.value === 'base64')
      if (name === null) this.#showNothing('That is no base64.')
      else void this.#lookUp(name)
    })
  }

  /** Looks up a key that was chosen elsewhere on the page. */
  choose(name: KeyName): void {
    this.#input.value = name.key
    this.#form.value = name.isBase64 ? 'base64' : 'text'
    byId('inspector', HTMLElement).scrollIntoView({ block: 'nearest' })
    this.#input.focus()
    void this.#lookUp(name)
  }

  async #lookUp(name: KeyName): Promise<void> {
    const round = ++this.#round
    let answer: KeyDocument | string
    try {
      const response = await ask(keyPath(name))
      answer = response.ok
        ? await response.json()
        : `The server does not tell: status ${response.status}.`
    } catch {
      answer = 'The server cannot be reached.'
    }
    if (round !== this.#round) return
    if (typeof answer === 'string') this.#showNothing(answer)
    else if (answer.item === null)
      this.#showNothing(`There is no item of the key ${shownKey(name)}.`)
    else this.#showItem(name, answer.item)
  }

  #showNothing(sentence: string): void {
    setText(this.#note, sentence)
    this.#facts.replaceChildren()
    this.#value.hidden = true
  }

  #showItem(name: KeyName, item: ItemDocument): void {
    const hidden = item.value === null ? ' Its value is not shown: metrics.allow_values.' : ''
    setText(this.#note, `${shownKey(name)} is ${TIERS[item.tier]}.${hidden}`)
    fillFacts(this.#facts, factsOf(item))
    this.#value.hidden = item.value === null
    setText(this.#value, item.value === null ? '' : shownValue(item.value))
  }
}

function factsOf(item: ItemDocument): (readonly [string, string])[] {
  const state = [
    item.isStale ? 'stale' : '',
    item.isWon ? 'being renewed' : '',
    item.isFetched ? 'was read' : 'was never read',
  ]
  return [
    ['Value', bytes(item.valueBytes)],
    ['Ends in', item.ttlS === null ? 'never' : ageS(item.ttlS)],
    ['State', state.filter((word) => word !== '').join(', ')],
    ['Unused for', ageS(item.idleS)],
    ['Client flags', wholeCount(item.clientFlags)],
    ['cas', item.cas],
    [
      'Size class',
      item.sizeClass === null ? NOTHING : `${item.sizeClass}, ${bytes(item.chunkBytes)}`,
    ],
    ['Generation', item.generation === null ? NOTHING : String(item.generation)],
  ]
}

function shownValue({ text, isBase64, isCut }: ValueDocument): string {
  const shown = isBase64 ? `base64: ${text}` : text.split('\n').map(visible).join('\n')
  return isCut ? `${shown} …` : shown
}
