/**
 * A shorter text for which `fails` still holds: stretches are cut out as long as that works, halving their length
 * (Zeller's delta debugging, without its complements), then single characters become `a`.
 * @param maxTries bounds the calls of `fails`
 */
export function minimise(text: string, fails: (text: string) => boolean, maxTries = 4_000): string {
  let best = text;
  let tries = 0;
  const tryIt = (candidate: string): boolean => {
    tries += 1;
    if (tries > maxTries || candidate === best || !fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(text.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) if (!tryIt(best.slice(0, at) + best.slice(at + size))) at += size;
  }
  for (let at = 0; at < best.length; at++) {
    if (/[b-z]/.test(best.charAt(at))) tryIt(`${best.slice(0, at)}a${best.slice(at + 1)}`);
  }
  return best;
}
