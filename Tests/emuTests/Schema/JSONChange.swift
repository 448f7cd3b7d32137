/// A document with one thing in it changed.
struct JSONChange {
    enum Kind: Hashable, CaseIterable {
        /// The member is not there.
        case removed
        /// It is `null`.
        case null
        /// It is of another type: text of a number, a number of all else.
        case retyped
        /// It is a number below zero; of numbers alone.
        case negative
        /// It is a number above all that can be; of numbers alone.
        case tooLarge
        /// It is another text; of texts alone.
        case reworded
        /// A member that nobody knows is beside those of the object.
        case extended
    }

    let kind: Kind
    /// The names on the way to what is changed; an array's items have the array's.
    let place: String
    let document: JSONValue

    /// Every change of one thing in `document`.
    static func all(of document: JSONValue) -> [JSONChange] { changes(of: document, at: "") }

    private static func changes(of value: JSONValue, at place: String) -> [JSONChange] {
        var changes: [JSONChange] = []
        switch value {
        case .object(let members):
            changes.append(
                JSONChange(
                    kind: .extended, place: place,
                    document: .object(members.merging(["unheardOf": .integer(1)]) { $1 })))
            for (name, member) in members {
                func replacing(_ new: JSONValue?) -> JSONValue {
                    var members = members
                    members[name] = new
                    return .object(members)
                }
                let place = place.isEmpty ? name : "\(place).\(name)"
                changes.append(JSONChange(kind: .removed, place: place, document: replacing(nil)))
                changes += own(member, place, replacing) + inner(member, place, replacing)
            }
        case .array(let items):
            for (index, item) in items.enumerated() {
                func replacing(_ new: JSONValue) -> JSONValue {
                    var items = items
                    items[index] = new
                    return .array(items)
                }
                changes += own(item, place + "[]", replacing) + inner(item, place, replacing)
            }
        default: break
        }
        return changes
    }

    /// The changes of a value as a whole.
    private static func own(
        _ value: JSONValue, _ place: String, _ replacing: (JSONValue) -> JSONValue
    ) -> [JSONChange] {
        var new: [(Kind, JSONValue)] = [(.null, .null)]
        switch value {
        case .integer, .unsigned, .number:
            new += [(.retyped, .string("1")), (.negative, .integer(-1)), (.tooLarge, .integer(.max))]
        case .string: new += [(.retyped, .integer(1)), (.reworded, .string("other words"))]
        default: new += [(.retyped, .integer(1))]
        }
        return new.map { JSONChange(kind: $0, place: place, document: replacing($1)) }
    }

    /// The changes inside of a value.
    private static func inner(
        _ value: JSONValue, _ place: String, _ replacing: (JSONValue) -> JSONValue
    ) -> [JSONChange] {
        changes(of: value, at: place).map {
            JSONChange(kind: $0.kind, place: $0.place, document: replacing($0.document))
        }
    }
}
