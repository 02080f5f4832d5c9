//! QuickXplain: a set that fails -> a minimal subset that still fails (U. Junker, "QUICKXPLAIN: Preferred Explanations and
//! Relaxations for Over-Constrained Problems", AAAI 2004).
//!
//! A deletion filter would test each item by itself; QuickXplain halves the set, so that innocent items go in bulk.

/// A minimal subset of `items` for which `fails` still holds, in their order; all of `items` if `fails` never holds.
/// `fails` must be monotonic: if it holds for a set, it holds for every superset. Where there is a choice, early items stay
/// and late ones go.
///
/// Calls `fails` about `2 k log(n / k)` times, where `k` is the size of the result.
pub(crate) fn quickxplain<T: Copy>(items: &[T], fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    if items.len() <= 1 || !fails(items) { items.to_vec() } else { reduce(&[], items, fails) }
}

/// The part of `items` that makes `background` fail, which does not fail by itself.
fn reduce<T: Copy>(background: &[T], items: &[T], fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    if items.len() == 1 {
        return items.to_vec();
    }
    let (first, second) = items.split_at(items.len() / 2);
    let with_first = [background, first].concat();
    let of_second = if fails(&with_first) { Vec::new() } else { reduce(&with_first, second, fails) };
    let with_second = [background, &of_second].concat();
    // Where nothing of the second half is needed, the background alone is known not to fail: no call for that.
    let enough = !of_second.is_empty() && fails(&with_second);
    let mut core = if enough { Vec::new() } else { reduce(&with_second, first, fails) };
    core.extend(of_second);
    core
}

#[cfg(test)]
mod tests {
    use super::quickxplain;

    #[test]
    fn a_minimal_failing_subset_remains() {
        let items: Vec<u32> = (0..200).collect();
        for needed in [vec![7], vec![0, 199], vec![3, 77, 78], vec![10, 20, 30, 40, 50]] {
            let mut calls = 0;
            let core = quickxplain(&items, &mut |part| {
                calls += 1;
                needed.iter().all(|item| part.contains(item))
            });
            assert_eq!(core, needed);
            assert!(calls < 100, "{calls}");
        }
        assert_eq!(quickxplain(&[1, 2], &mut |_| false), [1, 2]);
        assert_eq!(quickxplain(&[1, 2, 3], &mut |part| part.contains(&1) || part.contains(&3)), [1]);
    }
}
