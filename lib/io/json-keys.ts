/**
 * The first name that an object of a JSON text holds twice, if any: `JSON.parse` would silently keep the last.
 * @param text valid JSON
 */
export function duplicateKey(text: string): string | undefined {
  const objects: Set<string>[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{') objects.push(new Set())
    else if (character === '}') objects.pop()
    else if (character === '"') {
      const start = at
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
      if (!isKey(text, at + 1)) continue
      const key: string = JSON.parse(text.slice(start, at + 1))
      const keys = objects.at(-1)!
      if (keys.has(key)) return key
      keys.add(key)
    }
  }
  return undefined
}

/** Whether a colon follows, that is, whether the string that ended before `at` is a name. */
function isKey(text: string, at: number): boolean {
  let next = at
  while (text[next] === ' ' || text[next] === '\t' || text[next] === '\n' || text[next] === '\r') next++
  return text[next] === ':'
}
