import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;

/** Prints which PDF/A a file says that it is, whether veraPDF agrees, and each rule that is broken. */
public class PdfA {
    public static void main(String[] files) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        var foundry = Foundries.defaultInstance();
        for (String file : files) {
            try (var parser = foundry.createParser(new FileInputStream(file), PDFAFlavour.NO_FLAVOUR)) {
                var found = foundry.createValidator(parser.getFlavour(), false).validate(parser);
                System.out.println(parser.getFlavour().getId() + " " + found.isCompliant());
                for (var each : found.getTestAssertions()) {
                    if (each.getStatus() != TestAssertion.Status.PASSED) {
                        System.out.println(each.getRuleId().getClause() + " " + each.getMessage());
                    }
                }
            }
        }
    }
}
