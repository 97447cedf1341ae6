/**
 * The public names as a cell finds them without an import: name → what loads it, at its first use. A kernel binds them to a cell's
 * free names, so that a user's own declaration of the same name wins.
 */
export const names: Record<string, () => Promise<unknown>> = {
  graft: () => import('./index.ts'),
  Plot: async () => (await import('./plot.ts')).Plot,
  ...Object.fromEntries(([
    'tf', 'hub', 'customize', 'tap', 'insertAfter', 'insertBefore', 'remove', 'replace', 'diff', 'advise', 'freeze', 'unfreeze', 'data', 'train', 'predict', 'runs', 'show', 'save', 'load', 'files', 'engine', 'progress',
  ] as const).map(name => [name, async () => (await import('./index.ts'))[name]])),
}
