"""Methods of later versions, and methods that there never were."""

import grpc

from kit.client import check_failure, pb, refused


def later_methods_say_so(w):
    name = w.conversation()
    for method, request in (
            ("StopGenerate", pb.StopGenerateRequest(generation_id="x")),
            ("Summarize", pb.SummarizeRequest(conversation_id=name)),
            ("Pin", pb.PinRequest(conversation_id=name, seq=1)),
            ("Fork", pb.ForkRequest(conversation_id=name)),
            ("PreviewContext", pb.PreviewContextRequest(conversation_id=name))):
        refused("UNIMPLEMENTED", "NOT_IMPLEMENTED", getattr(w.client, method), request)
    try:
        list(w.client.ResumeGenerate(pb.ResumeGenerateRequest(generation_id="x")))
        raise AssertionError("ResumeGenerate answered")
    except grpc.RpcError as error:
        check_failure(error, "UNIMPLEMENTED", "NOT_IMPLEMENTED")


def strange_methods_are_unimplemented(w):
    for path in ("/recount.v1.ConversationService/Nothing", "/other.Service/Get", "/x"):
        call = w.client.channel.unary_unary(path)
        try:
            call(b"", timeout=10, metadata=w.client.metadata)
            raise AssertionError(f"{path} answered")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
