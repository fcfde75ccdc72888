package dev.apus.core.hub;

import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.Safetensors;
import dev.apus.core.json.JsonFault;
import dev.apus.core.json.JsonObject;
import dev.apus.core.json.JsonTree;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Which files of a repository make a model. */
final class Wanted {

  /** What says how to read the weights and how text becomes tokens. */
  private static final Pattern SETTINGS =
      Pattern.compile(
          "[^/]+\\.(json|txt|model|jinja|tiktoken)|" + ModelFiles.TEMPLATES + "/[^/]+\\.jinja");

  private static final Pattern GGUF = Pattern.compile("(?i)(?!.*mmproj).*\\.gguf");
  private static final Pattern PART =
      Pattern.compile("(?<stem>.*)-(?<number>\\d{5})-of-(?<count>\\d{5})\\.gguf");
  private static final String FIRST = "00001";

  private Wanted() {}

  static boolean isSettings(String path) {
    return SETTINGS.matcher(path).matches();
  }

  /**
   * The files that an index of safetensors files names.
   *
   * @throws HubException if it names none
   */
  static List<String> shards(String from, byte[] index) {
    try {
      JsonObject.Member map = JsonTree.read(index).members().get("weight_map");
      if (map != null
          && map.value() instanceof JsonObject weights
          && !weights.members().isEmpty()) {
        Set<String> names = new TreeSet<>();
        weights.members().values().forEach(file -> names.add(String.valueOf(file.value())));
        return List.copyOf(names);
      }
    } catch (JsonFault e) {
      throw new HubException(from + ": " + e.getMessage(), e);
    }
    throw new HubException(from + ": needs an object \"weight_map\" that is not empty");
  }

  /**
   * The GGUF file of a model, and all parts of it if it is split; the first is the one to open.
   *
   * @param paths of all files
   * @throws HubException if there is none or several are meant
   */
  static List<String> gguf(HubModel model, Collection<String> paths) {
    List<String> all =
        paths.stream().filter(path -> GGUF.matcher(path).matches()).sorted().toList();
    List<String> heads = all.stream().filter(Wanted::isHead).toList();
    List<String> meant =
        model.variant() == null
            ? heads
            : heads.stream().filter(path -> isMeant(path, model.variant())).toList();
    if (meant.size() != 1) {
      throw new HubException(
          model + ": " + trouble(model, heads, meant) + "; it holds " + said(heads, paths));
    }
    return parts(meant.get(0), all);
  }

  private static String trouble(HubModel model, List<String> heads, List<String> meant) {
    if (heads.isEmpty()) {
      return "needed: " + Safetensors.SINGLE + ", " + Safetensors.INDEX + " or a GGUF file";
    }
    if (meant.isEmpty()) {
      return "no GGUF file's name has \"" + model.variant() + "\" in it";
    }
    return meant.size() + " GGUF files are meant; needed: " + model.repository() + ":VARIANT";
  }

  private static String said(List<String> heads, Collection<String> paths) {
    Collection<String> some = heads.isEmpty() ? paths : heads;
    return some.isEmpty() ? "nothing" : some.stream().limit(20).collect(Collectors.joining(", "));
  }

  /** Whether all parts of a split file are there. */
  static boolean isWhole(List<String> parts) {
    Matcher part = PART.matcher(parts.get(0));
    return !part.matches() || Integer.parseInt(part.group("count")) == parts.size();
  }

  private static boolean isHead(String path) {
    Matcher part = PART.matcher(path);
    return !part.matches() || part.group("number").equals(FIRST);
  }

  private static boolean isMeant(String path, String variant) {
    Pattern word =
        Pattern.compile(
            "(?i)(.*[-._/])?" + Pattern.quote(variant) + "([-./].*)?", Pattern.UNICODE_CASE);
    return path.equals(variant) || word.matcher(path).matches();
  }

  private static List<String> parts(String head, List<String> all) {
    Matcher first = PART.matcher(head);
    if (!first.matches()) {
      return List.of(head);
    }
    List<String> parts = new ArrayList<>();
    for (String path : all) {
      Matcher part = PART.matcher(path);
      if (part.matches()
          && part.group("stem").equals(first.group("stem"))
          && part.group("count").equals(first.group("count"))) {
        parts.add(path);
      }
    }
    return parts;
  }
}
