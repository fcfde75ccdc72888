package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What {@code tokenizer_config.json}, and for older checkpoints {@code added_tokens.json} and
 * {@code special_tokens_map.json}, say of tokens. A {@code tokenizer.json} names added tokens
 * itself; other files do not.
 */
final class TokenizerConfig {

  static final String FILE = "tokenizer_config.json";
  static final String ADDED = "added_tokens.json";
  static final String SPECIAL = "special_tokens_map.json";

  private final Section config;
  private final Section ids;
  private final Section special;

  /** Takes the parsed files, each of which may be null. */
  TokenizerConfig(Section config, Section ids, Section special) {
    this.config = config;
    this.ids = ids;
    this.special = special;
  }

  /** The class of the program that reads these files elsewhere, or null. */
  String tokenizerClass() {
    return config != null && config.has("tokenizer_class") ? config.text("tokenizer_class") : null;
  }

  /** A setting that is true or false, or absent. */
  boolean flag(String key, boolean otherwise) {
    return config == null ? otherwise : config.flag(key, otherwise);
  }

  /** A token's text by its key, in either file that names tokens. */
  String text(String key, String absent) {
    return has(key)
        ? spelling(config, key)
        : special != null && special.has(key) ? spelling(special, key) : absent;
  }

  boolean has(String key) {
    return config != null && config.has(key);
  }

  /** A token's id by its key, where it is a string or an object with the string. */
  int named(String key, Vocabulary vocabulary) {
    if (!has(key)) {
      return Vocabulary.NONE;
    }
    int id = vocabulary.id(spelling(config, key));
    if (id == Vocabulary.NONE) {
      throw config.wrong(key, "a token of the vocabulary");
    }
    return id;
  }

  /** The token that masks others; configs name it even where the vocabulary has none. */
  int mask(Vocabulary vocabulary) {
    return has("mask_token") ? vocabulary.id(spelling(config, "mask_token")) : Vocabulary.NONE;
  }

  /** The tokens that are added to those of a vocabulary file, in the order of their ids. */
  List<AddedToken> added() {
    Map<Integer, AddedToken> added = new TreeMap<>();
    if (has("added_tokens_decoder")) {
      Section decoder = config.child("added_tokens_decoder");
      for (String key : names(decoder)) {
        AddedToken token = AddedToken.read(decoder.child(key), id(decoder, key));
        added.put(token.id(), token);
      }
    }
    Set<String> specialNames = specialNames();
    for (String content : ids == null ? List.<String>of() : names(ids)) {
      int id = ids.number(content, 0, Vocabulary.LARGEST_ID);
      added.putIfAbsent(id, AddedToken.literal(id, content, specialNames.contains(content)));
    }
    return List.copyOf(added.values());
  }

  private static List<String> names(Section section) {
    List<String> names = new ArrayList<>();
    section.node().fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static int id(Section decoder, String key) {
    try {
      int id = Integer.parseInt(key);
      if (id >= 0 && id <= Vocabulary.LARGEST_ID) {
        return id;
      }
    } catch (NumberFormatException e) {
      throw new TokenizerException(decoder.where(key) + " is no id", e);
    }
    throw new TokenizerException(decoder.where(key) + " is no id");
  }

  /** The names that either file gives to tokens that steer the model. */
  private Set<String> specialNames() {
    Set<String> names = new HashSet<>();
    for (Section section : new Section[] {config, special}) {
      for (String key : section == null ? List.<String>of() : names(section)) {
        if (key.endsWith("_token")) {
          JsonNode value = section.node().get(key);
          names.add(value.isObject() ? value.path("content").asText() : value.asText());
        } else if (key.equals("additional_special_tokens")) {
          for (JsonNode value : section.node().get(key)) {
            names.add(value.isObject() ? value.path("content").asText() : value.asText());
          }
        }
      }
    }
    return names;
  }

  private static String spelling(Section config, String key) {
    JsonNode value = config.node().get(key);
    return value.isObject() ? config.child(key).text("content") : config.text(key);
  }
}
