/** A node of the syntax tree of TypeScript, as oxc gives it; the parser's own union of two hundred types says no more here. */
export interface Node { type: string, start: number, end: number, [key: string]: any }

/** What a name may stand for; a class, an enum, a namespace or an import is both. */
export type Meaning = 'value' | 'type' | 'both'

/** How a name is declared at the top of a cell. */
export type Kind = 'const' | 'variable' | 'function' | 'import' | 'other'

/** One declaration at the top of a cell. */
export interface Declaration { name: string, meaning: Meaning, kind: Kind, start: number }

/** One mention of a name that a declaration at the top of the cell is meant by, or none. */
export interface Mention { name: string, written: boolean, start: number }

class Scope {
  readonly values = new Set<string>()
  readonly types = new Set<string>()
  readonly parent: Scope | null
  readonly isFunction: boolean

  constructor(parent: Scope | null, isFunction: boolean) {
    this.parent = parent
    this.isFunction = isFunction
  }

  has(name: string, meaning: Meaning): boolean {
    return (meaning !== 'type' && this.values.has(name)) || (meaning !== 'value' && this.types.has(name))
  }
}

/**
 * Finds what a TypeScript program declares at its top (`declared`), where it mentions that (`own`), and what it takes from elsewhere
 * (`free`), values and types, in one walk.
 */
export function scopesOf(program: Node): { declared: Declaration[], own: Mention[], free: Mention[] } {
  const top = new Scope(null, true)
  const declared: Declaration[] = [], mentions: (Mention & { meaning: Meaning, scope: Scope })[] = []
  let scope = top, conditional = top

  const within = (isFunction: boolean, work: () => void) => {
    const outer = scope
    scope = new Scope(outer, isFunction)
    work()
    scope = outer
  }
  const declare = ({ name, start }: { name: string, start: number }, meaning: Meaning, kind: Kind, at = scope) => {
    if (meaning !== 'type') at.values.add(name)
    if (meaning !== 'value') at.types.add(name)
    if (at === top) declared.push({ name, meaning, kind, start })
  }
  const mention = ({ name, start }: Node, meaning: Meaning, written = false) => { mentions.push({ name, start, meaning, written, scope }) }

  const functionScope = () => {
    let at = scope
    while (!at.isFunction) at = at.parent!
    return at
  }

  /** The names that a pattern declares. */
  function pattern(node: Node, kind: Kind, at?: Scope) {
    visit(node.typeAnnotation)
    visitAll(node.decorators)
    switch (node.type) {
      case 'Identifier': return declare(node as never, 'value', kind, at)
      case 'ObjectPattern':
        for (const part of node.properties) {
          if (part.computed) visit(part.key)
          pattern(part.type === 'RestElement' ? part : part.value, kind, at)
        }
        return
      case 'ArrayPattern': return node.elements.forEach((part: Node | null) => part && pattern(part, kind, at))
      case 'AssignmentPattern':
        pattern(node.left, kind, at)
        return visit(node.right)
      case 'RestElement': return pattern(node.argument, kind, at)
      case 'TSParameterProperty': return pattern(node.parameter, kind, at)
    }
  }

  /** What an assignment writes to; all that is not a name is an expression (`a.b = 1`). */
  function target(node: Node) {
    switch (node.type) {
      case 'Identifier': return mention(node, 'value', true)
      case 'ObjectPattern':
        for (const part of node.properties) {
          if (part.computed) visit(part.key)
          target(part.type === 'RestElement' ? part : part.value)
        }
        return
      case 'ArrayPattern': return node.elements.forEach((part: Node | null) => part && target(part))
      case 'AssignmentPattern':
        target(node.left)
        return visit(node.right)
      case 'RestElement': return target(node.argument)
      case 'TSAsExpression': case 'TSSatisfiesExpression': case 'TSTypeAssertion': case 'TSNonNullExpression': case 'ParenthesizedExpression':
        visit(node.typeAnnotation)
        return target(node.expression)
      default: visit(node)
    }
  }

  /** The name at the left of `a.b.c`, where types or namespaces are named. */
  function entity(node: Node, meaning: Meaning) {
    if (node.type === 'TSQualifiedName') return entity(node.left, 'both')
    if (node.type === 'MemberExpression') return entity(node.object, 'both')
    if (node.type === 'Identifier') mention(node, meaning)
    else visit(node)
  }

  /** Whatever has type parameters, parameters, a result: functions, methods and their types. */
  function callable(node: Node) {
    within(true, () => {
      if (node.type === 'FunctionExpression' && node.id) declare(node.id, 'value', 'other')
      visit(node.typeParameters)
      for (const param of node.params?.items ?? node.params ?? node.parameters ?? []) pattern(param, 'other')
      visit(node.returnType ?? node.typeAnnotation)
      if (node.body?.type === 'BlockStatement') visitAll(node.body.body)
      else visit(node.body)
    })
  }

  function classLike(node: Node) {
    visitAll(node.decorators)
    within(false, () => {
      if (node.type === 'ClassExpression' && node.id) declare(node.id, 'both', 'other')
      visit(node.typeParameters)
      visit(node.superClass)
      visit(node.superTypeArguments)
      visitAll(node.implements)
      visitAll(node.body.body)
    })
  }

  const skip = () => {}
  const named = (node: Node) => {
    if (node.computed) visit(node.key)
    visitAll(node.decorators)
    visit(node.typeAnnotation)
    visit(node.value)
  }
  const signature = (node: Node) => {
    if (node.computed) visit(node.key)
    callable(node)
  }
  const block = (node: Node) => within(false, () => children(node))
  const heritage = (node: Node) => {
    entity(node.expression, 'type')
    visit(node.typeArguments)
  }
  const visitors: Record<string, (node: Node) => void> = {
    Identifier: node => mention(node, 'value'),
    VariableDeclaration(node) {
      const kind = /^(const|using|await using)$/.test(node.kind) ? 'const' : 'variable'
      for (const { id, init } of node.declarations) {
        pattern(id, kind, node.kind === 'var' ? functionScope() : scope)
        visit(init)
      }
    },
    FunctionDeclaration(node) {
      if (node.id) declare(node.id, 'value', 'function')
      callable(node)
    },
    FunctionExpression: callable, ArrowFunctionExpression: callable, TSEmptyBodyFunctionExpression: callable,
    TSFunctionType: callable, TSConstructorType: callable, TSCallSignatureDeclaration: callable, TSConstructSignatureDeclaration: callable,
    TSMethodSignature: signature, TSIndexSignature: callable,
    ClassDeclaration(node) {
      if (node.id) declare(node.id, 'both', 'other')
      classLike(node)
    },
    ClassExpression: classLike,
    StaticBlock: node => within(true, () => children(node)),
    MethodDefinition: named, TSAbstractMethodDefinition: named, PropertyDefinition: named, TSAbstractPropertyDefinition: named,
    AccessorProperty: named, TSAbstractAccessorProperty: named, Property: named, TSPropertySignature: named,
    MemberExpression(node) {
      visit(node.object)
      if (node.computed) visit(node.property)
    },
    AssignmentExpression(node) {
      target(node.left)
      visit(node.right)
    },
    UpdateExpression: node => target(node.argument),
    BlockStatement: block, SwitchStatement: block, ForStatement: block, WhileStatement: block, TSModuleBlock: node => within(true, () => children(node)),
    ForInStatement: forEach, ForOfStatement: forEach,
    CatchClause: node => within(false, () => {
      if (node.param) pattern(node.param, 'other')
      visit(node.body)
    }),
    LabeledStatement: node => visit(node.body), BreakStatement: skip, ContinueStatement: skip, MetaProperty: skip,
    ImportDeclaration(node) {
      for (const { local, importKind } of node.specifiers) {
        declare(local, node.importKind === 'type' || importKind === 'type' ? 'type' : 'both', 'import')
        // `typeof` may ask for the value of what was imported as a type.
        scope.values.add(local.name)
      }
    },
    TSImportEqualsDeclaration(node) {
      declare(node.id, 'both', 'import')
      if (node.moduleReference.type !== 'TSExternalModuleReference') entity(node.moduleReference, 'both')
    },
    ExportNamedDeclaration(node) {
      visit(node.declaration)
      if (!node.source) for (const { local } of node.specifiers) entity(local, 'both')
    },
    ExportAllDeclaration: skip, TSNamespaceExportDeclaration: skip,
    TSEnumDeclaration(node) {
      declare(node.id, 'both', 'other')
      within(false, () => {
        for (const member of node.body.members) {
          if (member.id.type === 'Identifier' && !member.computed) declare(member.id, 'value', 'other')
          visit(member.initializer)
        }
      })
    },
    TSModuleDeclaration(node) {
      let { id } = node
      while (id.type === 'TSQualifiedName') id = id.left
      if (id.type === 'Identifier' && node.kind !== 'global') declare(id, 'both', 'other')
      visit(node.body)
    },
    TSInterfaceDeclaration(node) {
      declare(node.id, 'type', 'other')
      within(false, () => {
        visit(node.typeParameters)
        visitAll(node.extends)
        visitAll(node.body.body)
      })
    },
    TSTypeAliasDeclaration(node) {
      declare(node.id, 'type', 'other')
      within(false, () => {
        visit(node.typeParameters)
        visit(node.typeAnnotation)
      })
    },
    TSClassImplements: heritage, TSInterfaceHeritage: heritage,
    TSTypeReference(node) {
      entity(node.typeName, 'type')
      visit(node.typeArguments)
    },
    TSTypeQuery(node) {
      entity(node.exprName, 'value')
      visit(node.typeArguments)
    },
    TSTypeParameter(node) {
      declare(node.name, 'type', 'other')
      visit(node.constraint)
      visit(node.default)
    },
    TSMappedType: node => within(false, () => {
      declare(node.key, 'type', 'other')
      visit(node.constraint)
      visit(node.nameType)
      visit(node.typeAnnotation)
    }),
    TSConditionalType: node => within(false, () => {
      const outer = conditional
      conditional = scope
      children(node)
      conditional = outer
    }),
    TSInferType(node) {
      declare(node.typeParameter.name, 'type', 'other', conditional)
      visit(node.typeParameter.constraint)
    },
    TSTypePredicate: node => visit(node.typeAnnotation),
    TSNamedTupleMember: node => visit(node.elementType),
    TSImportType: node => visit(node.typeArguments),
  }
  visitors.TSDeclareFunction = visitors.FunctionDeclaration

  function forEach(node: Node) {
    within(false, () => {
      if (node.left.type === 'VariableDeclaration') visit(node.left)
      else target(node.left)
      visit(node.right)
      visit(node.body)
    })
  }

  function children(node: Node) {
    for (const key in node) {
      const value = node[key] as Node | Node[] | null
      if (Array.isArray(value)) visitAll(value)
      else if (value?.type) visit(value)
    }
  }

  function visitAll(nodes: (Node | null)[] | undefined) {
    if (nodes) for (const node of nodes) if (node?.type) visit(node)
  }

  function visit(node: Node | null | undefined) {
    if (node) (visitors[node.type] ?? children)(node)
  }

  visitAll(program.body)
  const scopeOf = ({ name, meaning, scope }: typeof mentions[number]) => {
    for (let at: Scope | null = scope; at; at = at.parent) if (at.has(name, meaning)) return at
    return null
  }
  return { declared, own: mentions.filter(one => scopeOf(one) === top), free: mentions.filter(one => !scopeOf(one)) }
}
