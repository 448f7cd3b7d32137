/// What a program of ``RingMachine`` can do, by its byte: the order is the fuzzer's corpus.
enum RingOperation: UInt8, CaseIterable {
    case addReadable, addWritable, addPair, addDirect, addIndirect, fill
    case driverPublish, reap, suppressCalls, requestCalls
    case pop, complete, devicePublish, rewind, suppressKicks, requestKicks
    case restartDevice, loseMaps, drain, resetDriver
    case pokeRing, pokeTable, pokeDescriptor, pokeIndex
}
