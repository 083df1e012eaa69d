// The rule "legal-basis" in processes that do not declare approval=true.
module.exports = require("../../house")(require("../legal-basis").find, false);
