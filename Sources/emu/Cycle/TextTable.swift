/// Columns of text, as wide as their widest cell and two blanks apart.
struct TextTable {
    private let rows: [[String]]
    private let leading: Set<Int>

    /// A table of `rows` of equal length, the heads first. The columns of `leading` are flush left, the others
    /// flush right.
    init(_ rows: [[String]], leading: Set<Int>) {
        self.rows = rows
        self.leading = leading
    }

    var text: String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = row.indices.map { column in
                let blanks = String(repeating: " ", count: widths[column] - row[column].count)
                return leading.contains(column) ? row[column] + blanks : blanks + row[column]
            }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
