/** The language server's answer about a name. */
export interface Hover { contents: { value: string } | string | null }

/** The language server's answer about a call that is being typed. */
export interface Signatures {
  signatures: { label: string, documentation?: { value: string } | string }[]
  activeSignature?: number
}

/** What `inspect_reply` carries. */
export interface Inspection {
  found: boolean
  data: { 'text/plain'?: string, 'text/markdown'?: string }
  metadata: object
}

/** Makes Jupyter's inspection from what the language server says of a name or, where there is none, of the call around the cursor. */
export function inspectionOf(hover: Hover | null, signatures: Signatures | null, detail: number, readable: (text: string) => string): Inspection {
  const text = (part: { value: string } | string | null | undefined) => typeof part === 'string' ? part : part?.value ?? ''
  let markdown = text(hover?.contents)
  const signature = signatures?.signatures[signatures.activeSignature ?? 0]
  if (!markdown && signature) markdown = `\`\`\`typescript\n${signature.label}\n\`\`\`\n${text(signature.documentation)}`
  if (!markdown.trim()) return { found: false, data: {}, metadata: {} }
  // How the name came into the live document is no news: `(alias)` and the import line go.
  markdown = readable(markdown).replace(/^\(alias\) /gm, '').replace(/\nimport [^\n]*(?=\n```)/g, '').trim()
  if (detail === 0) markdown = markdown.replace(/\n\n\*@(?!param|returns|deprecated)[^\n]*(\n(?!\n\*@).*)*/g, '').trim()
  return { found: true, data: { 'text/plain': plain(markdown), 'text/markdown': markdown }, metadata: {} }
}

/** Markdown as text: without fences, emphasis of tags, and link targets. */
const plain = (markdown: string) => markdown.replace(/^```\w*\n?/gm, '').replace(/\*(@\w+)\*/g, '$1').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
  .replace(/`([^`\n]+)`/g, '$1').replace(/\n{3,}/g, '\n\n').trim()
