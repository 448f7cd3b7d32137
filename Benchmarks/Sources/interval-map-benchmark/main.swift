// The interval map over sizes, beside the C library's red-black tree and a sorted array.
//
// A look-up should cost O(log n), an invalidate of k entries O(k + log n): the columns must grow by a few
// nanoseconds where the sizes grow tenfold. Pages come in random order; every number is the median of rounds.

let sizes = [100, 1_000, 10_000, 100_000]
let widths: [UInt64] = [1, 16, 256]

print("nanoseconds; an invalidate is followed by its inserts, which are counted apart")
print("")
print(
    row("entries", "operation", IntervalMapBook.name, TreeBook.name, "ratio", ArrayBook.name, "ratio"))

for size in sizes {
    let own = measure(IntervalMapBook.self, size)
    let tree = measure(TreeBook.self, size)
    let array = measure(ArrayBook.self, size)
    func line(_ title: String, _ part: (Costs) -> Double) {
        print(
            row(
                "\(size)", title, number(part(own)), number(part(tree)), ratio(part(own), part(tree)),
                number(part(array)), ratio(part(own), part(array))))
    }
    line("look-up") { $0.find }
    line("insert") { $0.insert }
    for (index, width) in widths.enumerated() where width < UInt64(size) {
        line("invalidate of \(width)") { $0.remove[index] }
    }
}

func ratio(_ left: Double, _ right: Double) -> String { number(left / right) + "×" }

func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return value >= 100 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
}

func row(_ columns: String...) -> String {
    let places = [8, 18, 10, 20, 8, 14, 8]
    return zip(columns, places).map { text, place in
        String(repeating: " ", count: max(0, place - text.count)) + text
    }.joined(separator: "  ")
}
