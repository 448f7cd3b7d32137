/// What an IOTLB message asks for (`VHOST_IOTLB_*` in linux/vhost_types.h).
package enum MessageKind: UInt8 {
    case miss = 1
    case update, invalidate, accessFail, batchBegin, batchEnd
}
