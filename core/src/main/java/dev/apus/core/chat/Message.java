package dev.apus.core.chat;

import java.util.Objects;

/**
 * A turn of a conversation.
 *
 * @param role who speaks, in the words of the model's template: mostly {@code system}, {@code
 *     user}, {@code assistant} or {@code tool}
 * @param content what is said
 */
public record Message(String role, String content) {

  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
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
}
