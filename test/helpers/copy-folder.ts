/**
 * Copies a folder that others may change meanwhile: what goes in the middle is an error that can be caught.
 * `cpSync` of Node 24 ends the process there.
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Files and folders; `isWanted` is asked for each by its name. */
export function copyFolder(
  from: string,
  to: string,
  isWanted: (name: string) => boolean = () => true,
): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!isWanted(entry.name)) continue
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) copyFolder(source, target, isWanted)
    else copyFileSync(source, target)
  }
}
