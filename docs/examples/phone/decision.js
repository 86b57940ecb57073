// From the model's outputs to an answer: the rules of sneaker_core/networks/decision.py and inference/predictor.py.
// Numbers of the rules come from model.json (fitted values) and page.json (fixed ones).

/**
 * @param {Object<string, Float32Array>} outputs One photo's outputs of the ONNX file, by name.
 * @param {{classes: string[], footwear_types: string[], decision: object}} model From model.json.
 * @param {{rules: object, groups: object}} page From page.json.
 */
export function answerOf(outputs, model, page) {
  const {rules} = page, {decision} = model;
  const chances = Array.from(outputs.probabilities);
  const order = chances.map((_, index) => index).sort((one, other) => chances[other] - chances[one]);
  const top = order.slice(0, rules.most_shown).map(index => ({label: model.classes[index], probability: chances[index]}));
  const status = statusOf(top[0].probability, outputs.ood_score[0], decision);
  const reason = status === "unknown" ? reasonOf(outputs, model) : null;
  const isOther = reason === "other_footwear";
  return {
    status,
    top,
    reason,
    footwear_type: isOther ? footwearType(outputs, model, rules.footwear_type_probability) : null,
    look_alikes: isOther ? top.slice(0, rules.look_alikes).map(guess => guess.label) : [],
    group: status === "unsure" ? probableGroup(chances, model.classes, page.groups, decision.confidence_threshold) : null,
    almost_certain: status === "known" && top[0].probability >= rules.almost_certain,
  };
}

function statusOf(confidence, score, decision) {
  // JSON has no infinity: a model without a threshold has none here.
  if (score > (decision.ood_threshold ?? Infinity)) return "unknown";
  return confidence >= decision.confidence_threshold ? "known" : "unsure";
}

/** Types of other footwear come first among what is no class, then, if the model was trained with them, negatives. */
function rejected(outputs, model) {
  const all = Array.from(outputs.rejected_logits ?? []), types = model.footwear_types.length;
  return {types: all.slice(0, types), negatives: all[types]};
}

function reasonOf(outputs, model) {
  const {types, negatives} = rejected(outputs, model);
  if (!types.length || negatives === undefined) return null;
  return logSumExp([...outputs.logits, ...types]) >= negatives ? "other_footwear" : "not_footwear";
}

function footwearType(outputs, model, atLeast) {
  const {types} = rejected(outputs, model);
  if (!types.length) return null;
  const every = logSumExp([...types, ...outputs.logits]), best = types.indexOf(Math.max(...types));
  return Math.exp(types[best] - every) >= atLeast ? model.footwear_types[best] : null;
}

function logSumExp(logits) {
  const highest = Math.max(...logits);
  return highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
}

/** The most probable group of look-alikes, with its two most probable members; null if it isn't probable enough. */
function probableGroup(chances, classes, groups, atLeast) {
  let best = null;
  for (const [name, {members}] of Object.entries(groups)) {
    const numbers = Object.keys(members).map(label => classes.indexOf(label));
    const probability = numbers.reduce((sum, number) => sum + chances[number], 0);
    if (best === null || probability > best.probability) best = {name, probability, numbers};
  }
  if (best === null || best.probability < atLeast) return null;
  const leading = best.numbers.sort((one, other) => chances[other] - chances[one]).slice(0, 2);
  return {
    name: best.name,
    probability: Math.min(1, best.probability),
    members: leading.map(number => classes[number]),
  };
}
