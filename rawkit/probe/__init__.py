"""Ask and answer: handmade packets, and what other kernels say to them."""

from rawkit.probe.demo import Conversation, Exchange, Question, WireFrame

__all__ = ["Conversation", "Exchange", "Question", "WireFrame"]
