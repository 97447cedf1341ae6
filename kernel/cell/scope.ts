/** A node of the ESTree tree of a JavaScript program; the parser's own union of a hundred types says no more here. */
export interface Node { type: string, start: number, end: number, [key: string]: any }

/** How a name is declared at the top of a cell. */
export type Kind = 'const' | 'let' | 'var' | 'using' | 'function' | 'class' | 'import'

/** One mention of a name that no inner scope declares: the cell's own, an earlier cell's or a global one. */
export interface Mention {
  name: string
  node: Node
  write: boolean
  /** `{ name }`, which must become `{ name: other }` where the name is replaced. */
  shorthand: boolean
  /** Inside a function, so it may be read or written at any later time. */
  inFunction: boolean
  /** The name's own declaration (`const name = …`). */
  declares: boolean
}

/** What one cell declares and mentions at its top level. */
export interface Scope {
  declared: Map<string, Kind>
  mentions: Mention[]
  /** `var` declarations inside blocks and loop heads, whose names belong to the top level all the same. */
  nestedVars: { node: Node, parent: Node }[]
  /** Outermost loops that hold no `await`, with their labels. */
  loops: Node[]
  metas: Node[]
  /** Every `await` and `for await`, also those inside functions. */
  awaitNodes: Node[]
  /** Holds one outside all functions. */
  awaits: boolean
  evals: boolean
}

interface Block {
  names: Set<string>
  parent: Block | null
  function: Block
}

/** Finds the declarations and mentions of a JavaScript program (no TypeScript, no JSX) in one walk. */
export function scopeOf(program: Node): Scope {
  const top: Block = { names: new Set(), parent: null, function: null as never }
  top.function = top
  const scope: Scope = { declared: new Map(), mentions: [], nestedVars: [], loops: [], metas: [], awaitNodes: [], awaits: false, evals: false }
  const found: { mention: Mention, block: Block }[] = []
  let block = top
  let loop: Node | null = null
  const labelled = new Map<Node, Node>()
  let awaited = 0

  const inside = (isFunction: boolean, work: () => void) => {
    const outer = block
    block = { names: new Set(), parent: outer, function: outer.function }
    if (isFunction) block.function = block
    work()
    block = outer
  }
  const declare = (name: string, kind: Kind) => {
    const at = kind === 'var' ? block.function : block
    at.names.add(name)
    if (at === top) scope.declared.set(name, kind)
  }
  const mention = (node: Node, write: boolean, shorthand = false, declares = false) => {
    found.push({ block, mention: { name: node.name, node, write, shorthand, inFunction: block.function !== top, declares } })
  }
  const awaiting = (node: Node) => {
    scope.awaitNodes.push(node)
    if (block.function !== top) return
    scope.awaits = true
    awaited++
  }

  function declarePattern(pattern: Node, kind: Kind, shorthand = false) {
    if (pattern.type === 'Identifier') {
      declare(pattern.name, kind)
      mention(pattern, true, shorthand, true)
    }
    if (pattern.type === 'ObjectPattern') {
      for (const p of pattern.properties) {
        if (p.type !== 'RestElement' && p.computed) visit(p.key, p)
        declarePattern(p.type === 'RestElement' ? p.argument : p.value, kind, p.shorthand)
      }
    } else if (pattern.type === 'ArrayPattern') {
      for (const e of pattern.elements) if (e) declarePattern(e, kind)
    } else if (pattern.type === 'AssignmentPattern') {
      declarePattern(pattern.left, kind, shorthand)
      visit(pattern.right, pattern)
    } else if (pattern.type === 'RestElement') declarePattern(pattern.argument, kind)
  }

  /** The targets of an assignment; all that is not a name is an expression (`a.b = 1`). */
  function target(node: Node, shorthand = false) {
    if (node.type === 'Identifier') return mention(node, true, shorthand)
    if (node.type === 'ObjectPattern') {
      for (const p of node.properties) {
        if (p.type !== 'RestElement' && p.computed) visit(p.key, p)
        target(p.type === 'RestElement' ? p.argument : p.value, p.shorthand)
      }
    } else if (node.type === 'ArrayPattern') {
      for (const e of node.elements) if (e) target(e)
    } else if (node.type === 'AssignmentPattern') {
      target(node.left, shorthand)
      visit(node.right, node)
    } else if (node.type === 'RestElement') target(node.argument)
    else visit(node, node)
  }

  function visitFunction(node: Node) {
    inside(true, () => {
      if (node.type === 'FunctionExpression' && node.id) declare(node.id.name, 'function')
      for (const p of node.params) declarePattern(p, 'let')
      if (node.body.type === 'BlockStatement') for (const s of node.body.body) visit(s, node.body)
      else visit(node.body, node)
    })
  }

  function visitClass(node: Node) {
    inside(false, () => {
      if (node.id) declare(node.id.name, 'class')
      if (node.superClass) visit(node.superClass, node)
      for (const member of node.body.body) {
        if (member.computed) visit(member.key, member)
        if (member.type === 'StaticBlock') inside(true, () => member.body.forEach((s: Node) => visit(s, member)))
        else if (member.value) inside(true, () => visit(member.value, member))
      }
    })
  }

  function visitLoop(node: Node) {
    const outermost = block.function === top && loop === null
    const before = awaited
    if (outermost) loop = node
    if (node.type === 'ForOfStatement' && node.await) awaiting(node)
    inside(false, () => {
      if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') {
        if (node.left.type === 'VariableDeclaration') visit(node.left, node)
        else target(node.left)
        visit(node.right, node)
        visit(node.body, node)
      } else children(node)
    })
    if (!outermost) return
    loop = null
    if (awaited === before) scope.loops.push(labelled.get(node) ?? node)
  }

  function children(node: Node) {
    for (const key in node) {
      const value = node[key]
      if (!value || typeof value !== 'object') continue
      if (Array.isArray(value)) { for (const v of value) if (v?.type) visit(v, node) } else if (value.type) visit(value, node)
    }
  }

  function visit(node: Node, parent: Node) {
    switch (node.type) {
      case 'Identifier': return mention(node, false)
      case 'VariableDeclaration':
        if (node.kind === 'await using') awaiting(node)
        if (node.kind === 'var' && block.function === top && parent !== program && parent.type !== 'ExportNamedDeclaration') {
          scope.nestedVars.push({ node, parent })
        }
        for (const d of node.declarations) {
          declarePattern(d.id, node.kind.endsWith('using') ? 'using' : node.kind)
          if (d.init) visit(d.init, d)
        }
        return
      case 'FunctionDeclaration':
        if (node.id) declare(node.id.name, 'function')
        return visitFunction(node)
      case 'FunctionExpression': case 'ArrowFunctionExpression': return visitFunction(node)
      case 'ClassDeclaration':
        if (node.id) declare(node.id.name, 'class')
        return visitClass(node)
      case 'ClassExpression': return visitClass(node)
      case 'ImportDeclaration':
        for (const s of node.specifiers) declare(s.local.name, 'import')
        return
      case 'ExportNamedDeclaration':
        if (node.declaration) visit(node.declaration, node)
        return
      case 'ExportAllDeclaration': case 'BreakStatement': case 'ContinueStatement': return
      case 'LabeledStatement':
        labelled.set(node.body, labelled.get(node) ?? node)
        return visit(node.body, node)
      case 'MetaProperty':
        if (node.meta.name === 'import') scope.metas.push(node)
        return
      case 'MemberExpression':
        visit(node.object, node)
        if (node.computed) visit(node.property, node)
        return
      case 'Property':
        if (node.computed) visit(node.key, node)
        if (node.shorthand && node.value.type === 'Identifier') return mention(node.value, false, true)
        return visit(node.value, node)
      case 'AssignmentExpression':
        target(node.left)
        return visit(node.right, node)
      case 'UpdateExpression': return target(node.argument)
      case 'CallExpression':
        if (node.callee.type === 'Identifier' && node.callee.name === 'eval') scope.evals = true
        return children(node)
      case 'AwaitExpression':
        awaiting(node)
        return children(node)
      case 'ForStatement': case 'ForInStatement': case 'ForOfStatement': case 'WhileStatement': case 'DoWhileStatement':
        return visitLoop(node)
      case 'BlockStatement': case 'SwitchStatement': return inside(false, () => children(node))
      case 'CatchClause':
        return inside(false, () => {
          if (node.param) declarePattern(node.param, 'let')
          visit(node.body, node)
        })
      default: return children(node)
    }
  }

  for (const statement of program.body) visit(statement, program)
  for (const { mention, block } of found) {
    let at: Block | null = block
    while (at && at !== top && !at.names.has(mention.name)) at = at.parent
    if (at === top) scope.mentions.push(mention)
  }
  return scope
}
