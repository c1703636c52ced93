/**
 * Elements of the page. Whatever comes from the server gets into the page through here, as text and in
 * no other way: there is no innerHTML anywhere, and the page's policy forbids it.
 */

/** What stands in one cell of a table. */
export type Cell =
  | string
  /** `share`, from 0 to 1, is drawn as a bar behind the text. */
  | { readonly text: string; readonly share: number }
  /** A key: shown as it is, and what to do when it is chosen. */
  | { readonly key: string; readonly choose: () => void }

/** What to do when a button is pressed: the row that it is in may show another key by then. */
const CHOICES = new WeakMap<HTMLButtonElement, () => void>()

/** An element of the page that is known to be there. */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.querySelector(`#${id}`)
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`)
  return element
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  if (className !== '') element.className = className
  element.append(...children)
  return element
}

/** Sets a text, and leaves the element alone where it has it already: a selection in it stays. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Shows rows in a table's body. Rows and cells are used again, so what did not change stays as it is. */
export function fillRows(body: HTMLTableSectionElement, rows: readonly (readonly Cell[])[]): void {
  while (body.rows.length > rows.length) body.deleteRow(-1)
  rows.forEach((cells, index) => {
    const row = body.rows[index] ?? body.insertRow()
    cells.forEach((cell, column) => {
      fillCell(row.cells[column] ?? addCell(row, column), cell)
    })
  })
}

/** A list of names and values. */
export function fillFacts(
  list: HTMLDListElement,
  facts: readonly (readonly [name: string, value: string])[],
): void {
  const names = list.querySelectorAll('dt')
  const values = list.querySelectorAll('dd')
  if (
    names.length === facts.length &&
    facts.every(([name], at) => names[at]?.textContent === name)
  ) {
    facts.forEach(([, value], at) => setText(values[at]!, value))
    return
  }
  list.replaceChildren(
    ...facts.map(([name, value]) => make('div', '', make('dt', '', name), make('dd', '', value))),
  )
}

function addCell(row: HTMLTableRowElement, column: number): HTMLTableCellElement {
  if (column > 0) return row.insertCell()
  const head = make('th', '')
  head.scope = 'row'
  row.append(head)
  return head
}

function addButton(element: HTMLElement): HTMLButtonElement {
  const button = make('button', 'key')
  button.type = 'button'
  button.title = 'Inspect this key'
  button.addEventListener('click', () => CHOICES.get(button)?.())
  element.replaceChildren(button)
  return button
}

function fillCell(element: HTMLTableCellElement, cell: Cell): void {
  if (typeof cell === 'string') {
    setText(element, cell)
  } else if ('key' in cell) {
    const button = element.querySelector('button') ?? addButton(element)
    setText(button, cell.key)
    CHOICES.set(button, cell.choose)
  } else {
    setText(element, cell.text)
    element.className = 'bar'
    // Set through the object model: a style in the markup would be against the page's policy.
    element.style.setProperty(
      '--share',
      `${(Math.min(1, Math.max(0, cell.share)) * 100).toFixed(1)}%`,
    )
  }
}
