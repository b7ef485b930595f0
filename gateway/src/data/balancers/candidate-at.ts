/** The element at an index known to be in range; says so with a RangeError when it is not. */
export function candidateAt<C>(candidates: readonly C[], index: number): C {
  const candidate = candidates[index];
  if (candidate === undefined) throw new RangeError(`no candidate ${index} of ${candidates.length}`);
  return candidate;
}
