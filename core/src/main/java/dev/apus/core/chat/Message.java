package dev.apus.core.chat;

import java.util.List;
import java.util.Objects;

/**
 * A turn of a conversation.
 *
 * @param role who speaks, in the words of the model's template: mostly {@code system}, {@code
 *     user}, {@code assistant} or {@code tool}
 * @param content what is said
 * @param reasoning what the model thought before; empty if nothing
 * @param calls of tools that the model asked for
 * @param answers the call of which this is the result, or null
 */
public record Message(
    String role, String content, String reasoning, List<ToolCall> calls, ToolCall answers) {

  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
    Objects.requireNonNull(reasoning, "reasoning");
    calls = List.copyOf(calls);
  }

  /** What somebody says, and no more. */
  public Message(String role, String content) {
    this(role, content, "", List.of(), null);
  }

  public static Message system(String content) {
    return new Message("system", content);
  }

  public static Message user(String content) {
    return new Message("user", content);
  }

  public static Message assistant(String content) {
    return new Message("assistant", content);
  }

  /** What came of a call. */
  public static Message result(ToolCall call, String content) {
    return new Message("tool", content, "", List.of(), call);
  }
}
