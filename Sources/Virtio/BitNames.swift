/// `0x104 (SUSPEND|IOTLB_PERSIST)`: a number in hexadecimal with the names of its bits, lowest first.
///
/// A bit without a name shows as `bit N`, so that nothing a kernel says goes unseen in a log.
package func describeBits(_ value: UInt128, names: [Int: String]) -> String {
    let number = "0x" + String(value, radix: 16)
    let set = (0..<128).filter { value >> $0 & 1 != 0 }
    guard !set.isEmpty else { return number }
    return number + " (" + set.map { names[$0] ?? "bit \($0)" }.joined(separator: "|") + ")"
}
