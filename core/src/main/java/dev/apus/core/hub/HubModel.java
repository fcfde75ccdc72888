package dev.apus.core.hub;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which model of a hub: {@code OWNER/NAME[@REVISION][:VARIANT]}.
 *
 * @param revision a branch, a tag or a commit
 * @param variant of a repository with several GGUF files: a part of the name of one, such as {@code
 *     Q4_K_M}, or its whole name; null to take the safetensors files, or the only GGUF file
 */
public record HubModel(String owner, String name, String revision, String variant) {

  /** What begins a reference where a path could stand, too. */
  public static final String SCHEME = "hf:";

  private static final String WORD = "[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?";
  private static final Pattern REFERENCE =
      Pattern.compile(
          "(?<owner>WORD)/(?<name>WORD)(?:@(?<revision>WORD(?:/WORD)*))?(?::(?<variant>[^:]+))?"
              .replace("WORD", WORD));
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /**
   * Reads a reference, which may begin with {@code hf:}.
   *
   * @throws HubException if it is none
   */
  public static HubModel parse(String reference) {
    String plain = isReference(reference) ? reference.substring(SCHEME.length()) : reference;
    Matcher parts = REFERENCE.matcher(plain);
    if (!parts.matches() || isAmbiguous(parts.group("owner") + "/" + parts.group("name"))) {
      throw new HubException(
          "\""
              + reference
              + "\" names no model of a hub; needed: OWNER/NAME, OWNER/NAME@REVISION or"
              + " OWNER/NAME:VARIANT, such as Qwen/Qwen3-0.6B");
    }
    String revision = parts.group("revision");
    return new HubModel(
        parts.group("owner"),
        parts.group("name"),
        revision == null ? "main" : revision,
        parts.group("variant"));
  }

  /** Two dots or hyphens, which no name has: in the cache they would be those between names. */
  private static boolean isAmbiguous(String repository) {
    return repository.contains("..") || repository.contains("--");
  }

  /** Whether a text names a model of a hub, and not a path. */
  public static boolean isReference(String text) {
    return text.startsWith(SCHEME);
  }

  /** Owner and name, as the hub's addresses have them. */
  String repository() {
    return owner + "/" + name;
  }

  /** Whether the revision is a commit, whose files never change. */
  boolean isPinned() {
    return isCommit(revision);
  }

  static boolean isCommit(String revision) {
    return COMMIT.matcher(revision).matches();
  }

  @Override
  public String toString() {
    return repository() + "@" + revision + (variant == null ? "" : ":" + variant);
  }
}
