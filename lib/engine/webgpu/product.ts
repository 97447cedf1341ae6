import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { WebGPUBackend } from './backend.ts'
import { declared, sumParts } from './program.ts'
import type { Work } from './program.ts'
import type { Program } from './stock.ts'

/** A matrix whose elements are looked up where they are needed, so that it need not lie in memory. */
export interface Operand {
  /** WGSL statements that set `value` from `outer`, the row of the left or the column of the right one, and `inner`. */
  element: string
  /** Which of the two lies side by side in memory: threads that are neighbours read neighbours. */
  adjacent: 'outer' | 'inner'
}

/** A group of threads computes 64 × 64 results, a thread 4 × 4 of them, from 16 columns and rows at a time. */
const tile = 64, depth = 16, side = 16

/** So many groups keep a large GPU busy; a product of few results is computed in parts that are summed up afterwards. */
const groups = 512

/**
 * The product of two matrices, `[rows, inner] · [inner, columns]`, in tiles through the memory that a group of threads shares. The
 * order of the sums depends on the shapes alone.
 *
 * @param work its shape's last axis are the columns, the axes before it the rows
 */
export function product(backend: WebGPUBackend, work: Work, inner: number, left: Operand, right: Operand): TensorInfo {
  const columns = work.shape.at(-1)!, rows = work.shape.slice(0, -1).reduce((all, side) => all * side, 1)
  const across = Math.ceil(columns / tile), down = Math.ceil(rows / tile)
  const parts = Math.max(1, Math.min(Math.ceil(groups / (across * down)), Math.ceil(inner / (4 * depth)), 64))
  const steps = Math.ceil(inner / parts / depth)
  const { text, values } = declared({ ...work, numbers: { ...work.numbers, rows, columns, inner, steps } })
  const program: Program = {
    variableNames: Object.keys(work.inputs), outputShape: [parts, rows, columns], uniforms: text, shaderKey: `graft ${work.key}`,
    workgroupSize: [side, side, 1], dispatchLayout: { x: [2], y: [1], z: [0] }, dispatch: [across, down, parts],
    getUserCode: () => `
      var<workgroup> leftTile : array<f32, ${tile * depth}>;
      var<workgroup> rightTile : array<f32, ${tile * depth}>;

      fn leftElement(outer : i32, inner : i32) -> f32 {
        var value = 0.0;
        if (outer < uniforms.rows && inner < uniforms.inner) { ${left.element} }
        return value;
      }

      fn rightElement(outer : i32, inner : i32) -> f32 {
        var value = 0.0;
        if (outer < uniforms.columns && inner < uniforms.inner) { ${right.element} }
        return value;
      }

      fn store(row : i32, column : i32, sum : vec4<f32>) {
        if (row >= uniforms.rows) { return; }
        let at = (i32(workgroupId.z) * uniforms.rows + row) * uniforms.columns + column;
        if (column < uniforms.columns) { result[at] = sum.x; }
        if (column + 1 < uniforms.columns) { result[at + 1] = sum.y; }
        if (column + 2 < uniforms.columns) { result[at + 2] = sum.z; }
        if (column + 3 < uniforms.columns) { result[at + 3] = sum.w; }
      }

      fn main() {
        let firstRow = i32(workgroupId.y) * ${tile};
        let firstColumn = i32(workgroupId.x) * ${tile};
        let firstInner = i32(workgroupId.z) * uniforms.steps * ${depth};
        let thread = i32(localIndex);
        let row = i32(localId.y) * 4;
        let column = i32(localId.x) * 4;
        ${four(i => `var sum${i} = vec4<f32>();`)}
        for (var step = 0; step < uniforms.steps; step++) {
          let start = firstInner + step * ${depth};
          for (var i = thread; i < ${tile * depth}; i += ${side * side}) {
            ${placed(left)}
            leftTile[inner * ${tile} + outer] = leftElement(firstRow + outer, start + inner);
          }
          for (var i = thread; i < ${tile * depth}; i += ${side * side}) {
            ${placed(right)}
            rightTile[inner * ${tile} + outer] = rightElement(firstColumn + outer, start + inner);
          }
          workgroupBarrier();
          for (var inner = 0; inner < ${depth}; inner++) {
            let at = inner * ${tile} + column;
            let values = vec4<f32>(rightTile[at], rightTile[at + 1], rightTile[at + 2], rightTile[at + 3]);
            ${four(i => `sum${i} = fma(vec4<f32>(leftTile[inner * ${tile} + row + ${i}]), values, sum${i});`)}
          }
          workgroupBarrier();
        }
        ${four(i => `store(firstRow + row + ${i}, firstColumn + column, sum${i});`)}
      }`,
  }
  const partial = backend.runWebGPUProgram(program, Object.values(work.inputs), 'float32', values)
  if (parts === 1) return { ...partial, shape: work.shape }
  const whole = sumParts(backend, partial, work.shape)
  backend.disposeData(partial.dataId)
  return whole
}

/** What each thread does for each of its four rows. */
const four = (line: (i: number) => string) => [0, 1, 2, 3].map(line).join('\n')

/** Which element a thread brings. */
const placed = ({ adjacent }: Operand) => adjacent === 'outer' ? `let outer = i % ${tile}; let inner = i / ${tile};`
  : `let inner = i % ${depth}; let outer = i / ${depth};`
