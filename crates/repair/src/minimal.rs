//! The smallest part of a set that still fails: QuickXplain (Junker 2004).

/// A smallest part of `items` for which `fails` still holds, in their order; all of them if `fails` never
/// holds. `fails` must hold for every set that has a failing part. What comes late is left out first.
///
/// It asks about `2 k log(n / k)` times, where `k` is the size of the answer.
pub(crate) fn minimal<T: Copy>(items: &[T], fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    // Once something fails without them, the rest need not be looked at.
    if items.len() <= 1 || !fails(items) { items.to_vec() } else { within(&[], items, fails) }
}

/// What `items` have to add to `background`, which does not fail by itself.
fn within<T: Copy>(background: &[T], items: &[T], fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    if items.len() == 1 {
        return items.to_vec();
    }
    let (first, second) = items.split_at(items.len() / 2);
    let with_first = [background, first].concat();
    let of_second = if fails(&with_first) { Vec::new() } else { within(&with_first, second, fails) };
    let with_second = [background, &of_second].concat();
    let enough = !of_second.is_empty() && fails(&with_second);
    let mut kept = if enough { Vec::new() } else { within(&with_second, first, fails) };
    kept.extend(of_second);
    kept
}

#[cfg(test)]
mod tests {
    use super::minimal;

    #[test]
    fn only_what_is_needed_is_kept() {
        let items: Vec<u32> = (0..200).collect();
        for needed in [vec![7], vec![0, 199], vec![3, 77, 78], vec![10, 20, 30, 40, 50]] {
            let mut asked = 0;
            let kept = minimal(&items, &mut |part| {
                asked += 1;
                needed.iter().all(|item| part.contains(item))
            });
            assert_eq!(kept, needed);
            assert!(asked < 100, "{asked}");
        }
        assert_eq!(minimal(&[1, 2], &mut |_| false), [1, 2]);
        assert_eq!(minimal(&[1, 2, 3], &mut |part| part.contains(&1) || part.contains(&3)), [1]);
    }
}
