package dev.apus.structure;

import java.util.HashMap;
import java.util.Map;

/** Makes a grammar of the rules of one that somebody wrote. */
final class RuleGrammar implements Regex.Spelling {

  private final CodePoints available;
  private final Map<String, Node.Rule> rules = new HashMap<>();
  private final Map<CodePoints, Node> classes = new HashMap<>();

  RuleGrammar(Map<String, GrammarParser.Rule> written, CodePoints available) {
    this.available = available;
    written.keySet().forEach(name -> rules.put(name, new Node.Rule()));
    written.forEach(
        (name, rule) ->
            rules.get(name).become(Regex.node(rule.body(), false, this, "the rule " + name)));
    Node.Rule.settle(rules.values());
  }

  /** The whole text. */
  Node root() {
    return rules.get("root");
  }

  @Override
  public Node node(CodePoints set) {
    return classes.computeIfAbsent(set, own -> ByteTree.of(own.and(available)));
  }

  @Override
  public Node text(String text) {
    return available.containsAll(text) ? Nodes.text(text) : Nodes.NONE;
  }

  @Override
  public Node rule(String name) {
    return rules.get(name);
  }
}
