package dev.apus.core.chat;

import java.util.Objects;

/**
 * Whether a model must call tools, where its answers are made to be well formed.
 *
 * @param kind what it may do
 * @param tool the one that it must call, or null
 */
public record ToolChoice(Kind kind, String tool) {

  /** What a model may do. */
  public enum Kind {
    /** It calls tools or does not, as it likes. */
    AUTO,
    /** It calls none. */
    NONE,
    /** It calls one at least, and says nothing besides. */
    REQUIRED,
    /** It calls a certain one, once, and says nothing besides. */
    NAMED
  }

  public ToolChoice {
    Objects.requireNonNull(kind, "kind");
    if ((tool != null) != (kind == Kind.NAMED)) {
      throw new IllegalArgumentException(
          "needed: the name of a tool with NAMED, and with it alone");
    }
  }

  /** The model calls tools or does not, as it likes. */
  public static ToolChoice auto() {
    return new ToolChoice(Kind.AUTO, null);
  }

  /** The model calls no tool. */
  public static ToolChoice none() {
    return new ToolChoice(Kind.NONE, null);
  }

  /** The model calls one tool at least, and says nothing besides. */
  public static ToolChoice required() {
    return new ToolChoice(Kind.REQUIRED, null);
  }

  /** The model calls this tool, once, and says nothing besides. */
  public static ToolChoice of(String tool) {
    return new ToolChoice(Kind.NAMED, tool);
  }
}
