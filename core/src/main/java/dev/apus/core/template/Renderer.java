package dev.apus.core.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs statements. */
final class Renderer {

  /** How a list of statements has ended. */
  private enum Ended {
    NORMALLY,
    BY_BREAK,
    BY_CONTINUE
  }

  private final Evaluator evaluator;
  private final Budget budget;

  Renderer(String name, Budget budget) {
    this.evaluator = new Evaluator(name, budget);
    this.budget = budget;
  }

  String text(List<Statement> statements, Scope scope) {
    StringBuilder out = new StringBuilder();
    run(statements, scope, out);
    return out.toString();
  }

  private Ended run(List<Statement> statements, Scope scope, StringBuilder out) {
    for (Statement statement : statements) {
      budget.step();
      Ended ended = run(statement, scope, out);
      if (ended != Ended.NORMALLY) {
        return ended;
      }
    }
    return Ended.NORMALLY;
  }

  private Ended run(Statement statement, Scope scope, StringBuilder out) {
    switch (statement) {
      case Statement.Text s -> out.append(budget.made(s.text()));
      case Statement.Output s ->
          out.append(budget.made(Values.text(evaluator.value(s.value(), scope))));
      case Statement.If s -> {
        boolean then = Values.isTrue(evaluator.value(s.condition(), scope));
        return run(then ? s.then() : s.otherwise(), scope, out);
      }
      case Statement.For s -> {
        return loop(s, scope, out);
      }
      case Statement.Break s -> {
        return Ended.BY_BREAK;
      }
      case Statement.Continue s -> {
        return Ended.BY_CONTINUE;
      }
      case Statement.Assign s ->
          assign(s.targets(), evaluator.value(s.value(), scope), scope, s.line());
      case Statement.AssignMember s -> assignMember(s, scope);
      case Statement.Capture s ->
          scope.set(s.target(), filtered(text(s.body(), new Scope(scope)), s.filters(), scope));
      case Statement.Filtered s ->
          out.append(
              budget.made(
                  Values.text(filtered(text(s.body(), new Scope(scope)), s.filters(), scope))));
      case Statement.MacroOf s ->
          scope.set(s.name(), macro(s.name(), s.parameters(), s.defaults(), s.body(), scope));
      case Statement.CallBlock s -> out.append(callBlock(s, scope));
      case Statement.With s -> {
        Scope inner = new Scope(scope);
        for (int i = 0; i < s.names().size(); i++) {
          inner.set(s.names().get(i), evaluator.value(s.values().get(i), scope));
        }
        return run(s.body(), inner, out);
      }
    }
    return Ended.NORMALLY;
  }

  private void assign(List<String> targets, Object value, Scope scope, int line) {
    if (targets.size() == 1) {
      scope.set(targets.getFirst(), value);
      return;
    }
    List<Object> parts = Values.items(value);
    if (parts.size() != targets.size()) {
      throw evaluator.located(
          line, new TemplateException(parts.size() + " values for " + targets.size() + " names"));
    }
    for (int i = 0; i < parts.size(); i++) {
      scope.set(targets.get(i), parts.get(i));
    }
  }

  private void assignMember(Statement.AssignMember s, Scope scope) {
    Object value = evaluator.value(s.value(), scope);
    if (!(scope.get(s.namespace()) instanceof Namespace namespace)) {
      throw evaluator.located(
          s.line(),
          new TemplateException(
              "members can be set of a namespace only; \"" + s.namespace() + "\" is none"));
    }
    namespace.members().put(s.name(), value);
  }

  private Object filtered(String text, List<Statement.Filtering> filters, Scope scope) {
    Object value = text;
    for (Statement.Filtering filter : filters) {
      try {
        value = evaluator.filter(filter.name(), value, filter.given(), scope);
      } catch (TemplateException e) {
        throw evaluator.located(filter.line(), e);
      }
    }
    return value;
  }

  private Ended loop(Statement.For s, Scope scope, StringBuilder out) {
    List<Object> items = items(s, scope);
    if (items.isEmpty()) {
      return run(s.otherwise(), scope, out);
    }
    Object[] changed = {null};
    for (int i = 0; i < items.size(); i++) {
      Scope inner = new Scope(scope);
      assign(s.targets(), items.get(i), inner, s.line());
      inner.set("loop", LoopState.of(items, i, changed));
      if (run(s.body(), inner, out) == Ended.BY_BREAK) {
        break;
      }
    }
    return Ended.NORMALLY;
  }

  private List<Object> items(Statement.For s, Scope scope) {
    Object value = evaluator.value(s.items(), scope);
    List<Object> items;
    try {
      items = Values.items(value);
    } catch (TemplateException e) {
      throw evaluator.located(s.line(), e);
    }
    if (s.condition() == null) {
      return items;
    }
    List<Object> wanted = new ArrayList<>();
    for (Object item : items) {
      Scope inner = new Scope(scope);
      assign(s.targets(), item, inner, s.line());
      if (Values.isTrue(evaluator.value(s.condition(), inner))) {
        wanted.add(item);
      }
    }
    return wanted;
  }

  private Callable macro(
      String name,
      List<String> parameters,
      List<Expression> defaults,
      List<Statement> body,
      Scope scope) {
    return given -> {
      Map<String, Object> named = new HashMap<>(given.named());
      Object caller = parameters.contains("caller") ? null : named.remove("caller");
      Map<String, Object> values = new Arguments(name, given.inOrder(), named).of(parameters);
      Scope inner = new Scope(scope);
      if (caller != null) {
        inner.set("caller", caller);
      }
      for (int i = 0; i < parameters.size(); i++) {
        String parameter = parameters.get(i);
        Expression absent = defaults.get(i);
        if (values.containsKey(parameter)) {
          inner.set(parameter, values.get(parameter));
        } else {
          inner.set(
              parameter,
              absent == null
                  ? new Undefined("\"" + parameter + "\"")
                  : evaluator.value(absent, inner));
        }
      }
      budget.enter();
      String text = text(body, inner);
      budget.leave();
      return text;
    };
  }

  private String callBlock(Statement.CallBlock s, Scope scope) {
    Callable caller =
        macro(
            "caller",
            s.parameters(),
            Collections.nCopies(s.parameters().size(), null),
            s.body(),
            scope);
    Expression.Call call = s.call();
    try {
      Object callee = evaluator.value(call.callee(), scope);
      if (!(callee instanceof Callable function)) {
        throw Values.needed("a macro", callee);
      }
      Arguments given = evaluator.arguments("the macro", List.of(), call.given(), scope);
      Map<String, Object> named = new HashMap<>(given.named());
      named.put("caller", caller);
      return Values.text(function.call(new Arguments("the macro", given.inOrder(), named)));
    } catch (TemplateException e) {
      throw evaluator.located(call.line(), e);
    }
  }
}
